-- Reading and pruning the audit by time. A few pages in all, and half a microsecond a write: rows come in the order of time,
-- so what stands in a range of pages is told by its first and last moment.
create index audit_at on audit using brin (at) with (pages_per_range = 32);
