import { describe, expect, test } from 'vitest'
import { editUrl, editUrlOf } from './edit.ts'

describe('where a page is edited', () => {
  test.each([
    ['url:https://github.com/blue/shop/tree/main/', 'https://github.com/blue/shop/edit/main/docs/a%20b.md'],
    ['https://github.com/blue/shop/edit/main/catalog-info.yaml', 'https://github.com/blue/shop/edit/main/docs/a%20b.md'],
    ['https://github.com/blue/mono/blob/trunk/services/shop/catalog-info.yaml', 'https://github.com/blue/mono/edit/trunk/services/shop/docs/a%20b.md'],
    ['https://github.com/blue/mono/tree/main/services/shop', 'https://github.com/blue/mono/edit/main/services/shop/docs/a%20b.md'],
    ['https://gitlab.example.com/group/sub/shop/-/tree/main/app/', 'https://gitlab.example.com/group/sub/shop/-/edit/main/app/docs/a%20b.md'],
    ['https://bitbucket.org/blue/shop/src/main/', 'https://bitbucket.org/blue/shop/src/main/docs/a%20b.md?mode=edit&at=main'],
    ['https://git.example.com/blue/shop/src/branch/main/', 'https://git.example.com/blue/shop/_edit/main/docs/a%20b.md'],
    ['https://dev.azure.com/org/project/_git/shop?path=/app&version=GBdev', 'https://dev.azure.com/org/project/_git/shop?path=%2Fapp%2Fdocs%2Fa+b.md&version=GBdev&_a=contents'],
    ['https://github.com/blue/shop.git', 'https://github.com/blue/shop/edit/next/docs/a%20b.md'],
    ['https://gitlab.com/group/sub/shop', 'https://gitlab.com/group/sub/shop/-/edit/next/docs/a%20b.md'],
    ['https://codeberg.org/blue/shop', 'https://codeberg.org/blue/shop/_edit/next/docs/a%20b.md'],
  ])('%s', (location, wanted) => {
    expect(editUrl(location, 'docs/a b.md', 'next')).toBe(wanted)
  })

  test.each(['javascript:alert(1)//github.com/a/b', 'file:///etc/passwd', 'https://user:token@github.com/blue/shop', 'https://example.com/blue/shop', 'https://github.com/', 'nothing', ''])('nowhere with %s', (location) => {
    expect(editUrl(location, 'README.md', 'main')).toBeUndefined()
  })

  test('what is said first and can be used counts', () => {
    expect(editUrlOf({ 'backstage.io/edit-url': 'nothing', 'backstage.io/source-location': 'url:https://github.com/blue/shop' }, 'README.md', 'main')).toBe('https://github.com/blue/shop/edit/main/README.md')
    expect(editUrlOf({}, 'README.md', 'main')).toBeUndefined()
  })
})
