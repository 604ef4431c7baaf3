// What the page remembers: name and language for good (localStorage), who this tab is as long as it lives (sessionStorage).

const NAME = "peerline.page.name";
const LANG = "peerline.page.lang";
const REGISTERED = "peerline.page.registered";
const TOKEN = "peerline.page.token";

export const memory = {
  name: () => read(() => localStorage, NAME),
  setName: (name: string) => write(() => localStorage, NAME, name),

  lang: () => read(() => localStorage, LANG),
  setLang: (lang: string) => write(() => localStorage, LANG, lang),

  /** Who this tab is: a reload or a crash brings it back, whatever name another tab used since. */
  registered: () => read(() => sessionStorage, REGISTERED),
  setRegistered: (name: string | null) => write(() => sessionStorage, REGISTERED, name),

  token: () => read(() => sessionStorage, TOKEN),
  setToken: (token: string | null) => write(() => sessionStorage, TOKEN, token),
};

// A browser that blocks storage throws at the mere mention of it; the page then just forgets.
function read(storage: () => Storage, key: string): string | null {
  try {
    return storage().getItem(key);
  } catch {
    return null;
  }
}

function write(storage: () => Storage, key: string, value: string | null): void {
  try {
    if (value === null) storage().removeItem(key);
    else storage().setItem(key, value);
  } catch {
    // Nothing to do: see above.
  }
}
