/** A certificate of our own for this machine, because kubectl sends no token over plain HTTP. */
import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'

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
  const {
    BasicConstraintsExtension,
    ExtendedKeyUsage,
    ExtendedKeyUsageExtension,
    PemConverter,
    SubjectAlternativeNameExtension,
    X509CertificateGenerator,
  } = await import('@peculiar/x509')
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
  return {
    cert: certificate.toString('pem'),
    key: PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), PemConverter.PrivateKeyTag),
  }
}

/** Renewed this long before it ends. */
const renewDays = 30

/** The certificate that is kept in `directory`, or a new one when there is none, it ends soon, or it lacks a host. */
export async function keptCertificate(directory: string, hosts: string[], now: Date): Promise<Certificate> {
  const [certPath, keyPath] = [join(directory, 'api.crt'), join(directory, 'api.key')]
  const kept = await readPair(certPath, keyPath)
  if (kept && isUsable(kept, hosts, now)) return kept
  const made = await makeCertificate(hosts, now)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  // The key goes first: a certificate without its key would be taken for a pair.
  await replaceFile(keyPath, made.key)
  await replaceFile(certPath, made.cert)
  return made
}

async function readPair(certPath: string, keyPath: string): Promise<Certificate | undefined> {
  try {
    return { cert: await readFile(certPath, 'utf8'), key: await readFile(keyPath, 'utf8') }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function isUsable({ cert, key }: Certificate, hosts: string[], now: Date): boolean {
  try {
    const parsed = new X509Certificate(cert)
    const covers = hosts.every((host) => (isIP(host) ? parsed.checkIP(host) : parsed.checkHost(host)) !== undefined)
    return covers && parsed.checkPrivateKey(createPrivateKey(key)) && Date.parse(parsed.validTo) > now.getTime() + renewDays * dayMs
  } catch {
    return false
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const unfinished = `${path}.new`
  await writeFile(unfinished, text, { mode: 0o600 })
  await rename(unfinished, path)
}
