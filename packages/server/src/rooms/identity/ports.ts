/** What room identity needs from outside: somebody who speaks OpenID Connect. */

export interface ProviderSettings {
  issuer: string
  clientId: string
  clientSecret?: string
  scopes: string[]
}

/** Kept between the beginning and the end of one sign-in. */
export interface Kept {
  state: string
  nonce: string
  verifier: string
}

/** What the provider says of a person; checked: signature, issuer, audience, nonce, times. */
export interface Claims {
  sub: string
  /** Session at the provider. */
  sid?: string
  all: Record<string, unknown>
}

export interface SingleSignOn {
  /** Where to send the browser. Throws SSO_UNAVAILABLE. */
  begin(settings: ProviderSettings, redirectUri: string): Promise<{ url: string; kept: Kept }>
  /** `callback`: the address that the browser came back to, whole. Throws SSO_INVALID and SSO_UNAVAILABLE. */
  finish(settings: ProviderSettings, callback: URL, kept: Kept): Promise<Claims>
  /** Where to end the session at the provider too, if it offers that. */
  logoutUrl(settings: ProviderSettings, returnTo: string): Promise<string | undefined>
  /** Whose sessions a logout token ends. Throws SSO_INVALID. */
  verifyLogout(settings: ProviderSettings, token: string): Promise<{ session?: string; subject?: string }>
  /** What the provider offers, for whoever sets it up. Throws SSO_UNAVAILABLE. */
  inspect(settings: ProviderSettings): Promise<{ issuer: string; keys: number; pkce: boolean; logout: boolean; scopes: string[] }>
}
