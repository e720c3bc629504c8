/** The value that the server gave this page: only style elements that carry it count (content policy). */
export const nonce = document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce ?? ''

// Where the part of Mantine that stops the page from scrolling behind a dialog looks for it.
Object.assign(window, { __webpack_nonce__: nonce })
