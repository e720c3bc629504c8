/** A certificate of our own for this machine, because kubectl sends no token over plain HTTP. */
import { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'

export interface Certificate {
  /** PEM. Also what clients are told to trust: it is its own authority. */
  cert: string
  /** PEM, PKCS#8. Secret. */
  key: string
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const lifetimeDays = 3650
const dayMs = 24 * 3600_000

/** Self-signed for these host names and addresses, valid from a day ago so that clocks may differ. */
export async function makeCertificate(hosts: string[], now: Date): Promise<Certificate> {
  // Needed once in the life of an installation, so it is not loaded at every start.
  await import('reflect-metadata')
  const { BasicConstraintsExtension, ExtendedKeyUsage, ExtendedKeyUsageExtension, PemConverter, SubjectAlternativeNameExtension, X509CertificateGenerator } = await import('@peculiar/x509')
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      name: 'CN=Pavior on this machine',
      keys: keys as never,
      signingAlgorithm: algorithm,
      notBefore: new Date(now.getTime() - dayMs),
      notAfter: new Date(now.getTime() + lifetimeDays * dayMs),
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension(hosts.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value }))),
      ],
    },
    webcrypto as never,
  )
  return { cert: certificate.toString('pem'), key: PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), PemConverter.PrivateKeyTag) }
}
