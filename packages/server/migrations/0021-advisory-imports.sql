-- Rows of two imports at once stand beside each other until one of them ends: neither waits for the other, and the last to end stays alone.
alter table advisories drop constraint advisories_pkey, add primary key (ecosystem, package, id, import);
