export { default } from './apps.tsx'
