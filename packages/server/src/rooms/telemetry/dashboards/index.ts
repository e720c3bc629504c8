/** Dashboards: three that every team has, and those that teams save. */
export { createDashboardRules } from './check.ts'
export { dashboard } from './kinds.ts'
export { dashboardRoutes } from './routes.ts'
