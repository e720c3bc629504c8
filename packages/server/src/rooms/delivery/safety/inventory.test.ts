import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { componentsOf, distributionOf, type ReadFile } from './inventory.ts'
import { bindingLicences, licencesOf } from './licences.ts'

const artifact = (path: string, text: string): ReadFile => ({ path, text, of: 'artifact' })
const source = (path: string, text: string): ReadFile => ({ path, text, of: 'source' })
const told = (files: ReadFile[], osRelease = ''): string[] => componentsOf(files, osRelease).map(({ purl, licences, from }) => `${purl} ${licences.join('|')} ${from}`)

describe('parts of an artifact', () => {
  test('are read from what each package manager leaves', () => {
    expect(told([artifact('node_modules/@scope/name/package.json', '{"name":"@scope/name","version":"1.2.3","license":"Apache 2.0"}')])).toEqual(['pkg:npm/%40scope/name@1.2.3 Apache-2.0 artifact'])
    expect(told([artifact('app/node_modules/old/package.json', '{"name":"old","version":"0.1.0","licenses":[{"type":"MIT"},{"type":"GPL-2.0"}]}')])).toEqual(['pkg:npm/old@0.1.0 MIT|GPL-2.0 artifact'])
    expect(told([artifact('.venv/lib/python3.11/site-packages/Flask_Login-0.6.3.dist-info/METADATA', 'Metadata-Version: 2.1\nName: Flask_Login\nVersion: 0.6.3\nLicense: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License\n\nLicense: GPL-3.0')])).toEqual(['pkg:pypi/flask-login@0.6.3 MIT artifact'])
    expect(told([artifact('vendor/composer/installed.json', '{"packages":[{"name":"monolog/monolog","version":"v3.5.0","license":["MIT"]}]}')])).toEqual(['pkg:composer/monolog/monolog@3.5.0 MIT artifact'])
    expect(told([artifact('META-INF/maven/g/a/pom.properties', '#Generated\ngroupId=org.slf4j\nartifactId=slf4j-api\nversion=2.0.9\r\n')])).toEqual(['pkg:maven/org.slf4j/slf4j-api@2.0.9  artifact'])
    expect(told([artifact('var/lib/dpkg/status', 'Package: libssl3\nStatus: install ok installed\nSource: openssl (3.0.11-1)\nVersion: 3.0.11-1~deb12u2\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1')], 'ID=debian\nVERSION_ID="12"\n')).toEqual(['pkg:deb/debian/openssl@3.0.11-1  artifact'])
    expect(componentsOf([artifact('lib/apk/db/installed', 'P:musl\nV:1.2.4-r2\nL:MIT\no:musl\n\nP:ssl_client\nV:1.36.1-r15\nL:GPL-2.0-only\no:busybox\n')], 'ID=alpine\nVERSION_ID=3.19.1\n')).toMatchObject([{ ecosystem: 'Alpine:v3.19', name: 'busybox', licences: ['GPL-2.0-only'] }, { ecosystem: 'Alpine:v3.19', name: 'musl' }])
  })

  test('are taken from locks only where the artifact shows nothing of that kind', () => {
    const lock = '{"packages":{"":{"name":"app"},"node_modules/left":{"version":"1.0.0","license":"ISC"},"node_modules/tool":{"version":"2.0.0","dev":true}}}'
    expect(told([source('package-lock.json', lock)])).toEqual(['pkg:npm/left@1.0.0 ISC lock'])
    expect(told([source('package-lock.json', lock), artifact('node_modules/right/package.json', '{"name":"right","version":"3.0.0"}')])).toEqual(['pkg:npm/right@3.0.0  artifact'])
    expect(told([source('go.mod', 'module example.com/app\n\ngo 1.22\n\nrequire github.com/gorilla/mux v1.8.1\n\nrequire (\n\tgolang.org/x/net v0.20.0 // indirect\n)\n')])).toEqual(['pkg:golang/github.com/gorilla/mux@v1.8.1  lock', 'pkg:golang/golang.org/x/net@v0.20.0  lock'])
    expect(told([source('Cargo.lock', '[[package]]\nname = "app"\nversion = "0.1.0"\n\n[[package]]\nname = "serde"\nversion = "1.0.190"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\n')])).toEqual(['pkg:cargo/serde@1.0.190  lock'])
    expect(told([source('Gemfile.lock', 'GEM\n  remote: https://rubygems.org/\n  specs:\n    nokogiri (1.15.4-x86_64-linux)\n      racc (~> 1.4)\n    rack (2.2.8)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  rack\n')])).toEqual(['pkg:gem/nokogiri@1.15.4  lock', 'pkg:gem/rack@2.2.8  lock'])
  })

  test('never fail for what a file holds', () => {
    const paths = ['node_modules/a/package.json', 'package-lock.json', 'x-1.dist-info/METADATA', 'go.mod', 'Cargo.lock', 'Gemfile.lock', 'vendor/composer/installed.json', 'META-INF/maven/g/a/pom.properties', 'var/lib/dpkg/status', 'lib/apk/db/installed']
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.oneof(fc.string({ maxLength: 200 }), fc.json()), (path, text) => {
        for (const each of componentsOf([artifact(path, text), source(path, text)], text)) expect(each.name && each.version && each.purl.startsWith('pkg:')).toBeTruthy()
      }),
    )
    expect(distributionOf('NAME=Fedora\nID=fedora')).toBeUndefined()
  })
})

describe('licences', () => {
  test('become SPDX where they can, and what binds is what no choice avoids', () => {
    expect(licencesOf(['MIT', 'Apache License 2.0', '(MIT OR GPL-3.0-only)', 'SEE LICENSE IN file', 'MIT'])).toEqual(['MIT', 'Apache-2.0', '(MIT OR GPL-3.0-only)', 'SEE LICENSE IN file'])
    expect(bindingLicences('MIT OR AGPL-3.0-only')).toEqual([])
    expect(bindingLicences('MIT AND AGPL-3.0-only')).toEqual(['MIT', 'AGPL-3.0-only'])
    expect(bindingLicences('(MIT AND X11) OR (MIT AND ISC)')).toEqual(['MIT'])
    expect(bindingLicences('Company terms')).toEqual(['Company terms'])
  })
})
