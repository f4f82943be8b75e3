// What the browser keeps: settings, the sheet, what was read, and labelled ink. Nothing leaves the browser.

/** @typedef {"history" | "samples" | "sheet"} Shelf */

const NAME = "inktex";
const SHELVES = /** @type {Shelf[]} */ (["history", "samples", "sheet"]);

/** A place for records with an ``id``; where the browser has none, they last as long as the page. */
export class Store {
  /** @type {Promise<IDBDatabase | null>} */
  #database = open();
  /** @type {Map<string, any>} */
  #memory = new Map();

  /**
   * All records, in the order of their ids.
   * @param {Shelf} shelf
   * @returns {Promise<any[]>}
   */
  async all(shelf) {
    const kept = await this.#ask(shelf, "readonly", (records) => records.getAll());
    return (
      kept ?? [...this.#memory].filter(([key]) => key.startsWith(`${shelf}/`)).map(([, record]) => record)
    );
  }

  /**
   * @param {Shelf} shelf
   * @param {{id: string} & Record<string, unknown>} record replaces the one with the same id
   */
  async put(shelf, record) {
    const kept = await this.#ask(shelf, "readwrite", (records) => records.put(record));
    if (kept === null) this.#memory.set(`${shelf}/${record.id}`, record);
  }

  /**
   * @param {Shelf} shelf
   * @param {string} id
   */
  async remove(shelf, id) {
    await this.#ask(shelf, "readwrite", (records) => records.delete(id));
    this.#memory.delete(`${shelf}/${id}`);
  }

  /** @param {Shelf} shelf */
  async clear(shelf) {
    await this.#ask(shelf, "readwrite", (records) => records.clear());
    for (const key of this.#memory.keys()) if (key.startsWith(`${shelf}/`)) this.#memory.delete(key);
  }

  /**
   * @template T
   * @param {Shelf} shelf
   * @param {IDBTransactionMode} mode
   * @param {(records: IDBObjectStore) => IDBRequest<T>} action
   * @returns {Promise<T | null>} null where nothing can be kept
   */
  async #ask(shelf, mode, action) {
    const database = await this.#database;
    if (!database) return null;
    try {
      return await settled(action(database.transaction(shelf, mode).objectStore(shelf)));
    } catch {
      return null;
    }
  }
}

/** @returns {Promise<IDBDatabase | null>} */
async function open() {
  try {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      for (const shelf of SHELVES) request.result.createObjectStore(shelf, { keyPath: "id" });
    };
    return await settled(request);
  } catch {
    return null;
  }
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * @typedef {object} Settings
 * @property {string} language "" for the browser's
 * @property {"auto" | "light" | "dark"} theme
 * @property {"plain" | "grid" | "ruled"} paper
 * @property {string} writer who labels ink
 * @property {string} key of the service, if it wants one
 */

/** @type {Settings} */
const DEFAULTS = { language: "", theme: "auto", paper: "grid", writer: "", key: "" };

/** @returns {Settings} */
export function settings() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(NAME) ?? "{}") };
  } catch {
    return { ...DEFAULTS };
  }
}

/** @param {Settings} values */
export function keep(values) {
  try {
    localStorage.setItem(NAME, JSON.stringify(values));
  } catch {
    // A browser that keeps nothing works all the same.
  }
}
