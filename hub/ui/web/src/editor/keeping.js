/**
 * The session file of a page, kept in the browser (IndexedDB) so that a reload, or a server that was
 * started again, finds what the user made. Kept by the page's own address and the editor's name: no
 * other site can read it, and it never leaves but to the server that made it.
 */
const DATABASE = "scorehub";
const STORE = "sessions";
const KEPT_DAYS = 30;
const DAY_MS = 86_400_000;

export class Keeping {
  /** @param {string} name of this editor on this page */
  constructor(name) {
    this.name = name;
  }

  /** @param {string} session base64 */
  async save(session) {
    await this.run("readwrite", (store) => store.put({ session, savedAt: Date.now() }, this.name));
  }

  /** @returns {Promise<string|null>} */
  async load() {
    const kept = await this.run("readonly", (store) => store.get(this.name)).catch(() => null);
    if (!kept || typeof kept.session !== "string") return null;
    return Date.now() - kept.savedAt > KEPT_DAYS * DAY_MS ? (await this.forget(), null) : kept.session;
  }

  async forget() {
    await this.run("readwrite", (store) => store.delete(this.name)).catch(() => undefined);
  }

  async run(mode, act) {
    const database = await opened();
    try {
      const request = act(database.transaction(STORE, mode).objectStore(STORE));
      return await settled(request);
    } finally {
      database.close();
    }
  }
}

function opened() {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return settled(request);
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
