/**
 * The catalogue of everything that Pavior refuses or fails at.
 *
 * A code is what a person on call searches for, so it never changes its meaning. Each entry gives the HTTP status,
 * the Kubernetes `reason` (what `kubectl` switches on), the exit code that the CLI ends with, and the fix that is
 * shown when the thrower has no better one.
 */

/** Exit codes of the `pavior` command: 1 the user's thing failed, 2 wrong use, 3 refused, 4 the platform failed. */
export type ExitCode = 1 | 2 | 3 | 4

export interface ErrorEntry {
  /** HTTP status that the API answers with. */
  http: number
  /** `reason` of the Kubernetes `Status` object. */
  reason: string
  exit: ExitCode
  /** One sentence for the documentation page: what this code means in general. */
  meaning: string
  /** What to do next, when the thrower gives nothing more precise. */
  fix: string
}

const user = (http: number, reason: string, meaning: string, fix: string): ErrorEntry => ({ http, reason, exit: 1, meaning, fix })
const usage = (http: number, reason: string, meaning: string, fix: string): ErrorEntry => ({ http, reason, exit: 2, meaning, fix })
const refused = (http: number, reason: string, meaning: string, fix: string): ErrorEntry => ({ http, reason, exit: 3, meaning, fix })
const platform = (http: number, reason: string, meaning: string, fix: string): ErrorEntry => ({ http, reason, exit: 4, meaning, fix })

export const errorCatalogue = {
  // API and resources
  NOT_FOUND: usage(404, 'NotFound', 'The thing that was asked for does not exist.', 'Check the name and the team; `pavior get` lists what is there.'),
  ALREADY_EXISTS: usage(409, 'AlreadyExists', 'A resource of this kind and name exists already.', 'Choose another name, or change the existing one with `pavior apply`.'),
  CONFLICT: usage(409, 'Conflict', 'The resource was changed by somebody else since it was read.', 'Read it again and repeat the change.'),
  APPLY_CONFLICT: usage(409, 'Conflict', 'Server-side apply found fields that another manager owns.', 'Leave the fields out, or apply with force to take them over.'),
  INVALID: usage(422, 'Invalid', 'The resource does not fit its schema or its own rules.', 'Correct the fields that are named; `pavior explain <kind>` lists them all.'),
  BAD_REQUEST: usage(400, 'BadRequest', 'The request could not be understood.', 'Correct the request as the message says.'),
  QUERY_INVALID: usage(400, 'BadRequest', 'The query over metrics cannot be read, or asks for what makes no sense.', 'Correct it at the place that is named; docs/querying.md tells what there is.'),
  QUERY_FAILED: usage(422, 'Invalid', 'The query over metrics makes sense, but cannot be answered with the series that there are.', 'Correct it as the message says.'),
  QUERY_TIMEOUT: platform(503, 'ServiceUnavailable', 'The query over metrics took longer than it may.', 'Ask for fewer series or a shorter time.'),
  UNSUPPORTED_MEDIA: usage(415, 'UnsupportedMediaType', 'The content type of the request is not accepted here.', 'Send one of the content types that the message lists.'),
  NOT_ACCEPTABLE: usage(406, 'NotAcceptable', 'None of the accepted response types can be produced.', 'Accept application/json.'),
  METHOD_NOT_ALLOWED: usage(405, 'MethodNotAllowed', 'This resource does not support this verb.', 'Use one of the verbs that the message lists.'),
  TOO_LARGE: usage(413, 'RequestEntityTooLarge', 'The request body is larger than the limit.', 'Send less, or leave files out with .paviorignore.'),
  EXPIRED: usage(410, 'Expired', 'The resource version or the continue token is too old to go on from.', 'List again and go on from the new resource version.'),
  QUERY_TOO_LARGE: usage(422, 'Invalid', 'A question about metrics would read more series or points than one may.', 'Name the app or more labels, or ask for a shorter time.'),
  TOO_MANY_REQUESTS: refused(429, 'TooManyRequests', 'This caller sends more requests than it may.', 'Wait as long as Retry-After says and try again.'),
  IDEMPOTENCY_MISMATCH: usage(422, 'Invalid', 'The idempotency key was used before with another request.', 'Use a new key for a new request.'),
  CSRF_REFUSED: refused(403, 'Forbidden', 'A change was sent with the cookie of a browser session but not by a page of the portal.', 'Reload the page and repeat the change.'),
  PASSWORD_WEAK: usage(422, 'Invalid', 'The password is too easy to guess.', 'Use a passphrase of a few words.'),
  PASSWORD_WRONG: refused(403, 'Forbidden', 'The current password is not right.', 'Type it again, or ask an administrator of the platform for a login link.'),
  UNAUTHENTICATED: refused(401, 'Unauthorized', 'The request carries no valid token.', 'Run `pavior login <url>`, or check that the token has not expired or been revoked.'),
  FORBIDDEN: refused(403, 'Forbidden', 'The caller may not do this.', 'Ask an administrator of the team for the role that the message names.'),
  ESCALATION_REFUSED: refused(403, 'Forbidden', 'Nobody may give others more than they hold themselves.', 'Ask somebody who holds the right that the message names.'),
  ELEVATION_REFUSED: refused(403, 'Forbidden', 'The caller may not take this role for a while.', 'Ask an administrator of the team, or of the platform.'),
  SECOND_FACTOR_NEEDED: refused(401, 'Unauthorized', 'The account asks for a code beside the password.', 'Give the code of your authenticator app, or one of your recovery codes.'),
  SECOND_FACTOR_WRONG: refused(401, 'Unauthorized', 'The code is not right, is too old, or was used before.', 'Wait for the next code of your authenticator app, or use a recovery code.'),
  SIGN_IN_LOCKED: refused(429, 'TooManyRequests', 'Too many sign-ins have failed for this name or from this address.', 'Wait as long as Retry-After says and try again.'),
  SSO_REFUSED: refused(403, 'Forbidden', 'The identity provider signed somebody in who may not come in here.', 'Ask an administrator of the platform.'),
  SSO_INVALID: refused(401, 'Unauthorized', 'The answer of the identity provider does not belong to this sign-in, or cannot be trusted.', 'Begin the sign-in again.'),
  SSO_UNAVAILABLE: platform(503, 'ServiceUnavailable', 'The identity provider does not answer.', 'Try again, or sign in with a password or a login link.'),
  KEY_UNAVAILABLE: platform(500, 'InternalError', 'What is kept sealed cannot be opened with the key of this server.', 'Give every server the same keys/identity.key, or enter the value again.'),

  // Manifests and names
  MANIFEST_INVALID: usage(422, 'Invalid', 'The app manifest cannot be used.', 'Correct the line that is named; docs/manifest.md describes every field.'),
  MANIFEST_TOO_LARGE: usage(422, 'Invalid', 'The app manifest is larger than the limit.', 'Keep the manifest below 256 kB; configuration data belongs into files or services.'),
  NAME_INVALID: usage(422, 'Invalid', 'The name cannot be used.', 'Use 1 to 40 lower-case letters, digits and hyphens, beginning with a letter.'),
  NAME_RESERVED: usage(422, 'Invalid', 'The name is reserved for the platform itself.', 'Choose another name.'),

  // Source and builds
  UPLOAD_TRUNCATED: user(400, 'BadRequest', 'The uploaded archive ends too early.', 'Send it again; nothing was kept.'),
  UPLOAD_UNSAFE_PATH: user(422, 'Invalid', 'The uploaded archive holds a path that leads outside of it.', 'Remove the entry that is named.'),
  UPLOAD_UNSAFE_ENTRY: user(422, 'Invalid', 'The uploaded archive holds an entry that is neither file, directory nor safe link.', 'Remove the device, socket or pipe that is named.'),
  UPLOAD_TOO_LARGE: user(413, 'RequestEntityTooLarge', 'The uploaded source is larger than the limit, packed or unpacked.', 'Leave out what is not source with .paviorignore.'),
  UPLOAD_TOO_MANY_FILES: user(413, 'RequestEntityTooLarge', 'The uploaded source holds more files than the limit.', 'Leave out what is not source (node_modules, .venv, caches) with .paviorignore.'),
  UPLOAD_EMPTY: user(422, 'Invalid', 'The uploaded archive holds no file.', 'Deploy from the directory that holds the app.'),
  NOT_DETECTED: user(422, 'Invalid', 'No builder recognises this source.', 'Add a Procfile with a line `web: <command>`, or one of the files that the message lists.'),
  TOOLCHAIN_MISSING: user(422, 'Invalid', 'The machine lacks a tool that the build needs.', 'Install the tool that is named on the machine that builds.'),
  BUILDER_UNSUPPORTED: user(422, 'Invalid', 'The builder that fits this source cannot work on this machine.', 'Declare the app for another builder: a Procfile beside the files of its language.'),
  BASE_IMAGE_UNAVAILABLE: user(422, 'Invalid', 'The base image of a Dockerfile is not on this machine and could not be pulled.', 'Check the name and that the machine reaches the registry, or put an archive of the image into <home>/images/archives.'),
  BUILD_FAILED: user(422, 'Invalid', 'A build step ended with an error.', 'Read the build log; the last lines are in the message.'),
  BUILD_TIMEOUT: user(422, 'Invalid', 'The build took longer than its limit.', 'Make the build shorter, or raise the limit for builds.'),
  BUILD_OUT_OF_MEMORY: user(422, 'Invalid', 'The build used more memory than its limit.', 'Make the build need less, or raise the memory limit for builds.'),
  BUILD_DISK_FULL: user(507, 'Invalid', 'The build wrote more than its limit, or the disk is full.', 'Write less during the build, or free disk space on the machine.'),
  BUILD_CANCELED: user(409, 'Conflict', 'The build was cancelled.', 'Deploy again when it should run.'),
  PROCESS_MISSING: user(422, 'Invalid', 'The source does not say how to start it.', 'Add a Procfile with a line `web: <command>`.'),
  SCAN_FAILED: platform(500, 'InternalError', 'The parts of an artifact could not be listed.', 'Deploy again; report it when it goes on.'),
  ARTIFACT_SIGNATURE_INVALID: refused(403, 'Forbidden', 'An artifact is not what was signed when it was built.', 'Build it again from its source, and find out who changed it: pavior audit verify.'),
  ADVISORIES_INVALID: usage(422, 'Invalid', 'What was to be imported are no advisories of OSV.', 'Get them from https://osv-vulnerabilities.storage.googleapis.com/<ecosystem>/all.zip.'),
  ARTIFACT_MISSING: user(404, 'NotFound', 'The artifact is not stored any more.', 'Run the build again by deploying the same source.'),
  ARTIFACT_CORRUPT: platform(500, 'InternalError', 'The stored artifact does not have the digest that names it.', 'Deploy the source again; the broken copy was set aside.'),

  // Catalogue
  API_DEFINITION_INVALID: user(422, 'Invalid', 'The definition of an API cannot be read or compared.', 'Correct what the message names; the text itself is shown as it is.'),

  // Templates
  TEMPLATE_INVALID: usage(422, 'Invalid', 'The template cannot be used.', 'Correct what the message names and check it with `pavior template validate <directory>`.'),
  TEMPLATE_ACTION_UNKNOWN: usage(422, 'Invalid', 'The template uses an action or filter that does not exist here.', 'Use one of those that the message lists.'),
  TEMPLATE_RENDER_FAILED: user(422, 'Invalid', 'The template could not be rendered.', 'Correct the file of the template that is named.'),
  TEMPLATE_LIMIT: user(422, 'Invalid', 'Rendering the template took more time or memory than it may.', 'Look for a loop without end in the template.'),
  TEMPLATE_TOO_LARGE: user(413, 'RequestEntityTooLarge', 'The template or what it renders is larger than the limit.', 'Leave out what is not source.'),
  TEMPLATE_UNSAFE_PATH: user(422, 'Invalid', 'The template renders a path that leads outside of the repository or cannot be used in one.', 'Correct the path, or the answer that it is made of.'),
  TEMPLATE_VERSION_EXISTS: usage(409, 'Conflict', 'This version of the template is here already, with other contents.', 'Raise metadata.annotations["pavior.dev/version"] in template.yaml.'),
  ANSWERS_INVALID: usage(422, 'Invalid', 'The answers do not fit the questions of the template.', 'Correct the answers that are named; `pavior template show <name>` lists the questions.'),
  NAME_TAKEN: usage(409, 'Conflict', 'An app of this name exists already.', 'Choose another name.'),
  REPOSITORY_UNREACHABLE: user(503, 'ServiceUnavailable', 'The host of the repository does not answer.', 'When it answers again: `pavior template resume <run>`.'),
  REPOSITORY_REFUSED: user(422, 'Invalid', 'The host of the repository refused the push.', 'Check the address and the token, then `pavior template resume <run>`.'),
  FIX_IMPOSSIBLE: usage(409, 'Conflict', 'The platform cannot fix this rule for this app.', 'Do what the rule says yourself; `pavior scorecard <app>` shows it.'),
  UPGRADE_IMPOSSIBLE: usage(409, 'Conflict', 'The app cannot be brought to another version of its template.', 'See what the message says of it.'),

  // Releases and deployments
  PORT_NOT_BOUND: user(422, 'Invalid', 'The new instance did not listen on its port in time.', 'Listen on the port that the environment variable PORT names.'),
  PROCESS_EXITED: user(422, 'Invalid', 'The new instance exited before it was healthy.', 'Correct what its last lines name, and deploy again; `pavior logs` shows everything it said.'),
  OUT_OF_MEMORY: user(422, 'Invalid', 'The instance was killed because it used more memory than its limit.', 'Raise the memory of the process, or make it use less.'),
  HEALTH_CHECK_FAILED: user(422, 'Invalid', 'The new instance did not answer its health check with success in time.', 'Make the health path answer 2xx when the process can serve.'),
  RELEASE_PHASE_FAILED: user(422, 'Invalid', 'The release process ended with an error before traffic moved.', 'Read its log and correct it; the old release keeps serving.'),
  START_FAILED: user(422, 'Invalid', 'The instance could not be started.', 'Correct the command of the process.'),
  SUPERSEDED: user(409, 'Conflict', 'A later deployment of the same app took the place of this one.', 'Nothing; the later one decides.'),
  CANCELED: user(409, 'Conflict', 'The deployment was cancelled.', 'Deploy again when it should run.'),
  BRANCH_NOT_ALLOWED: user(403, 'Forbidden', 'The environment does not take this branch.', 'Deploy one of the branches that it takes.'),
  PROMOTION_REQUIRED: user(403, 'Forbidden', 'The environment takes only what serves in the environment before.', 'Deploy there first, then `pavior promote`.'),
  APPROVAL_REFUSED: user(403, 'Forbidden', 'This approval does not count.', 'Ask somebody else of the team who did not make the change.'),
  INCIDENT_CLOSED: user(409, 'Conflict', 'The incident is closed, and nothing moves in it any more.', 'Open a new one: `pavior incident open`.'),
  INCIDENT_MOVED: user(409, 'Conflict', 'Somebody else has moved the incident meanwhile.', 'Look at it again and decide anew: `pavior incident show`.'),
  PREVIEW_LIMIT: refused(403, 'Forbidden', 'The app has as many previews as it may have.', 'Delete one that is not needed any more: `pavior previews list`, `pavior previews delete <branch>`.'),
  CANARY_FAILED: user(409, 'Conflict', 'The new release did not stand its trial; what served before has all traffic again.', 'Mend what the judge names, then deploy again.'),
  WATCH_FAILED: user(409, 'Conflict', 'The new release failed while it was watched; what served before has all traffic again.', 'Mend what the judge names, then deploy again.'),
  DEPLOYMENT_TIMEOUT: user(504, 'Timeout', 'The deployment did not finish in time.', 'Look at its status with `pavior describe deployment`.'),
  NO_SUCH_RELEASE: usage(404, 'NotFound', 'The app has no such release.', 'See `pavior releases`.'),
  APP_DELETED: user(409, 'Conflict', 'The app was deleted while this was going on.', 'Create the app again and deploy.'),

  // Declared configuration
  CONFIG_MANAGED: refused(403, 'Forbidden', 'A repository declares this, so it is changed there.', 'Change the file that the message names, commit and push.'),
  CONFIG_REPO_INVALID: user(422, 'Invalid', 'The commit cannot be applied, so nothing of it is.', 'Correct the files that are named, and push again.'),
  CONFIG_REPO_UNREACHABLE: user(503, 'ServiceUnavailable', 'The repository could not be fetched.', 'Check its address and branch; what was applied last stays in force meanwhile.'),
  REVISION_PINNED_OUT: user(409, 'Conflict', 'This revision was taken back here, so it is not put there again.', 'Push a new revision, or ask for it in earnest with --allow-pinned.'),

  // Policies
  POLICY_DENIED: refused(403, 'Forbidden', 'A policy of the platform refuses the change.', 'Do what the policy asks for, or ask for an exception with `pavior exception request`.'),
  QUOTA_EXCEEDED: refused(403, 'Forbidden', 'The change would use more than the quota of the team.', 'Free what is not needed any more, or ask an administrator of the platform for more.'),
  EXCEPTION_DECIDED: usage(409, 'Conflict', 'Somebody has decided on this exception before.', 'Ask for a new one with `pavior exception request`.'),

  // Secrets
  SECRETS_SEALED: platform(503, 'ServiceUnavailable', 'The master key that secrets are sealed with is missing or is another one.', 'Give the platform its master key back; apps that run go on meanwhile.'),
  SECRET_CORRUPT: platform(500, 'InternalError', 'A stored secret was changed outside of Pavior, so it is not given out.', 'Set the secret again with `pavior secrets set`.'),
  SECRET_UNAVAILABLE: user(409, 'Conflict', 'The version of a secret that is needed does not exist any more.', 'Deploy again, so that the release has the secrets of today.'),
  SECRET_REVOKED: usage(409, 'Conflict', 'The version of the secret is revoked, so nothing can start with it.', 'Use a later version: `pavior secrets versions <KEY>` lists them.'),
  SECRET_IN_USE: usage(409, 'Conflict', 'The version of the secret is in use.', 'Bring out another version first with `pavior secrets set` or `pavior secrets rollback`.'),
  SECRET_OF_THAT_NAME: usage(409, 'Conflict', 'A variable and a secret cannot have one name in the same place.', 'Remove one of the two.'),
  SECRET_STORE_UNREACHABLE: user(503, 'ServiceUnavailable', 'The store that the secret comes from does not answer.', 'Nothing has to be done for apps that run; look at the store.'),
  SECRET_STORE_REFUSED: user(422, 'Invalid', 'The store that the secret comes from refuses to give it.', 'Check the token, the mount and the path.'),

  // Alerts
  ALERT_TAKEN: usage(409, 'Conflict', 'Somebody else has this alert in hand.', 'Talk to them; `pavior alerts show` says who it is.'),
  ALERT_OVER: usage(409, 'Conflict', 'The alert is resolved.', 'Nothing has to be done; `pavior alerts list` shows what is open.'),
  LINK_INVALID: usage(403, 'Forbidden', 'The link is not one of ours, or it is too old.', 'Open the alert in the portal, or use `pavior alerts ack`.'),
  EXPORT_FAILED: user(422, 'Invalid', 'Telemetry could not be sent on.', 'Correct the TelemetryExport by what the other side answered, then try again with `pavior export test`.'),
  SOURCE_FAILED: user(422, 'Invalid', 'A Prometheus that is asked for metrics did not answer, or not with what was asked for.', 'See what it answered, and correct the MetricSource or the server behind it.'),
  NOTIFICATION_FAILED: user(422, 'Invalid', 'A message could not be delivered.', 'Correct the channel by what the other side answered, then try again with `pavior alerts test`.'),

  // Game days
  FAULTS_NOT_ALLOWED: refused(403, 'Forbidden', 'The environment does not allow that faults are injected.', 'Allow it with `faults: true` in the spec of the environment, or choose another one.'),
  FAULT_IMPOSSIBLE: user(422, 'Invalid', 'The fault cannot be injected here.', 'Leave the step out, or change what the message names.'),
  GAME_DAY_RUNS: usage(409, 'Conflict', 'A game day runs there already.', 'Wait until it is over, or stop it: `pavior gameday list`.'),
  GAME_DAY_OVER: usage(409, 'Conflict', 'The game day has begun or is over, and is done once only.', 'Do it again as a new one: `pavior gameday again <name>`.'),
  GAME_DAY_UNSAFE: refused(409, 'Conflict', 'This is no time for a game day.', 'Begin when what the message names is over.'),
  FAULT_INJECTED: user(503, 'ServiceUnavailable', 'A game day answered the request with an error, on purpose.', 'See `pavior gameday list`; `pavior gameday stop` ends it at once.'),

  // Agent, router, platform
  REQUEST_REFUSED: usage(400, 'BadRequest', 'The router could not read the request beyond doubt, so it passed nothing on.', 'Send a request that keeps to RFC 9112.'),
  REQUEST_HEAD_TOO_LARGE: usage(431, 'BadRequest', 'The head of the request is larger than the router takes.', 'Send fewer or shorter header fields; cookies are the usual cause.'),
  REQUEST_TOO_SLOW: usage(408, 'Timeout', 'The request did not arrive at the router in time.', 'Send the request again.'),
  ROUTE_NOT_FOUND: usage(404, 'NotFound', 'No app is reachable at this address.', 'Check the address; `pavior apps` lists the apps and their addresses.'),
  ROUTER_STARTING: platform(503, 'ServiceUnavailable', 'The router has started and does not know its routes yet.', 'Try again in a moment.'),
  APP_UNAVAILABLE: user(503, 'ServiceUnavailable', 'The app has no healthy instance that could answer.', 'See `pavior ps` and `pavior logs` of the app.'),
  APP_UNREACHABLE: user(502, 'ServiceUnavailable', 'The instance of the app refuses connections.', 'See `pavior ps` and `pavior logs` of the app.'),
  APP_BROKE_OFF: user(502, 'ServiceUnavailable', 'The instance of the app closed the connection without an answer.', 'Read the log of the app around that time with `pavior logs`.'),
  APP_BAD_ANSWER: user(502, 'ServiceUnavailable', 'The app gave an answer that is not valid HTTP.', 'Correct the answer of the app: its head or its framing does not keep to RFC 9112.'),
  APP_TIMEOUT: user(504, 'Timeout', 'The app did not answer within the time limit of its route.', 'Make the answer faster, or raise the time limit of the route.'),
  AGENT_UNAVAILABLE: platform(503, 'ServiceUnavailable', 'The agent on this machine does not answer.', 'Look at `pavior status`; apps that run go on serving meanwhile.'),
  DATABASE_UNAVAILABLE: platform(503, 'ServiceUnavailable', 'The database does not answer.', 'Wait; the server recovers by itself when the database is back.'),
  DATABASE_REFUSED: usage(503, 'ServiceUnavailable', 'The database is there and does not let Pavior work in it.', 'Correct PAVIOR_DATABASE_URL, or the rights of its user in the database.'),
  DATABASE_UNSUPPORTED: usage(503, 'ServiceUnavailable', 'The database is one that Pavior cannot use.', 'Use PostgreSQL 15 or later with the encoding UTF8.'),
  DISK_FULL: platform(507, 'ServiceUnavailable', 'The disk of the platform is full.', 'Free disk space, then try again.'),
  ALREADY_RUNNING: usage(409, 'Conflict', 'Another Pavior runs on this home already.', 'Use that one, or stop it with `pavior down`.'),
  PORT_IN_USE: usage(409, 'Conflict', 'A port that Pavior needs is taken.', 'Choose another with --port or --router-port (0 takes any free one).'),
  SERVER_UNREACHABLE: platform(503, 'ServiceUnavailable', 'The Pavior server does not answer.', 'Start it with `npm start` or `pavior up`, or log in to another with `pavior login <url>`.'),
  NOT_LOGGED_IN: refused(401, 'Unauthorized', 'The CLI knows no server and no token.', 'Start Pavior on this machine, or run `pavior login <url>`.'),
  CONFIG_INVALID: usage(400, 'BadRequest', 'A setting has a value that cannot be used.', 'Correct the setting that is named; `pavior config` shows where each comes from.'),
  SHUTTING_DOWN: platform(503, 'ServiceUnavailable', 'The server is stopping.', 'Try again in a moment.'),
  TIMEOUT: platform(504, 'Timeout', 'The operation did not finish in time.', 'Try again; if it stays so, look at `pavior status`.'),
  INTERNAL: platform(500, 'InternalError', 'Pavior itself failed.', 'Look for the request id in the server log and report it.'),
} satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof errorCatalogue

/** One wrong field, as in the `causes` of a Kubernetes Status. */
export interface Cause {
  field: string
  message: string
  reason?: string
}

/** What an error says beyond its code. `message` is one sentence that names the thing. */
export interface ErrorDetails {
  message: string
  /** Why it happened, as far as known. */
  why?: string
  /** What to do next; the catalogue's general fix otherwise. */
  fix?: string
  /** What state the world is in now. */
  state?: string
  /** A command or page to read on. */
  more?: string
  causes?: Cause[]
  /** Facts for programs: digests, ports, names. Never a secret. */
  facts?: Record<string, unknown>
}

/** The form in which an error travels: in `Status.details.pavior`, in `--json`, in a resource's status. */
export interface ErrorObject extends ErrorDetails {
  code: ErrorCode
  fix: string
}

/** The one error class. Everything else that is thrown is a fault of ours and becomes `INTERNAL`. */
export class PaviorError extends Error {
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, details: ErrorDetails, options?: ErrorOptions) {
    super(details.message, options)
    this.name = 'PaviorError'
    this.code = code
    this.details = details
  }

  get entry(): ErrorEntry {
    return errorCatalogue[this.code]
  }

  toObject(): ErrorObject {
    return { code: this.code, ...this.details, fix: this.details.fix ?? this.entry.fix }
  }
}

/** Builds the coded error to throw: `throw fail('ARTIFACT_MISSING', { message: '…', fix: '…' })`. */
export function fail(code: ErrorCode, details: ErrorDetails | string, options?: ErrorOptions): PaviorError {
  return new PaviorError(code, typeof details === 'string' ? { message: details } : details, options)
}

/** True for errors that carry a code, whichever copy of this module made them. */
export function isPaviorError(error: unknown): error is PaviorError {
  return error instanceof Error && error.name === 'PaviorError' && 'code' in error && String(error.code) in errorCatalogue
}
