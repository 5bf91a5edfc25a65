// Where files to be uploaded come from: drops, pickers, and folders that the browser remembers, so that an upload can go
// on after the tab was closed, where the browser allows that.

const canRemember = 'indexedDB' in globalThis && 'FileSystemHandle' in globalThis;

// What is found is {file, path}. What could not be read is there too, without its file, so that it can be named: one bad
// file or folder is no reason to leave out the others.
const unread = (path, isFolder = false) => ({ file: null, path, isFolder });

/** Walks what was dropped, folders too. `readEntries` gives a hundred at a time. */
export async function collect(transfer) {
  const found = [];
  const inside = async (entry, path) => {
    if (entry.isFile) {
      const file = await new Promise((done, fail) => { entry.file(done, fail); }).catch(() => null);
      found.push(file ? { file, path } : unread(path));
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const part = await new Promise((done, fail) => { reader.readEntries(done, fail); }).catch(() => null);
      if (!part) found.push(unread(path, true));
      if (!part?.length) return;
      for (const child of part) await inside(child, `${path}/${child.name}`);
    }
  };
  // The list of a drop is gone after the first wait, so entries are taken first.
  const items = [...transfer.items].filter((item) => item.kind === 'file');
  const handles = canRemember ? items.map((item) => item.getAsFileSystemHandle?.().catch(() => null)) : [];
  const dropped = items.map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  for (const one of dropped) {
    if (one instanceof File) found.push({ file: one, path: one.name });
    else if (one) await inside(one, one.name);
  }
  found.handles = (await Promise.all(handles)).filter(Boolean);
  return found;
}

/** Everything in a folder or file that the browser remembers. */
export async function walk(handle, path = handle.name, found = []) {
  const isFolder = handle.kind !== 'file';
  try {
    if (!isFolder) found.push({ file: await handle.getFile(), path });
    else for await (const child of handle.values()) await walk(child, `${path}/${child.name}`, found);
  } catch { found.push(unread(path, isFolder)); }
  return found;
}

/** Lets one choose a folder so that it can be remembered; null where the browser cannot. */
export async function pickFolder() {
  if (!canRemember || !globalThis.showDirectoryPicker) return null;
  const handle = await globalThis.showDirectoryPicker({ id: 'upload', mode: 'read' });
  const found = await walk(handle);
  found.handles = [handle];
  return found;
}

function store(mode, work) {
  return new Promise((done, fail) => {
    const opening = indexedDB.open('tunelocker-uploads', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('begun', { keyPath: 'id', autoIncrement: true });
    opening.onerror = () => fail(opening.error);
    opening.onsuccess = () => {
      const db = opening.result;
      const request = work(db.transaction('begun', mode).objectStore('begun'));
      request.onsuccess = () => { db.close(); done(request.result); };
      request.onerror = () => { db.close(); fail(request.error); };
    };
  });
}

/** Keeps in mind that these are being uploaded; its id, or null. */
export async function remember(handles, locker, user) {
  if (!canRemember || !handles?.length) return null;
  const row = { handles, names: handles.map((one) => one.name), locker, user, at: Date.now() };
  return store('readwrite', (begun) => begun.add(row)).catch(() => null);
}

export const forget = (id) => (id === null || !canRemember ? Promise.resolve() : store('readwrite', (begun) => begun.delete(id)).catch(() => {}));

/** What a user began and did not end. */
export async function begun(user) {
  if (!canRemember) return [];
  const all = await store('readonly', (rows) => rows.getAll()).catch(() => []);
  return all.filter((one) => one.user === user);
}

/** Files of what was begun, once the browser lets us read them again. */
export async function again(one) {
  const found = [];
  for (const handle of one.handles) {
    if (handle.requestPermission && await handle.requestPermission({ mode: 'read' }) !== 'granted') continue;
    await walk(handle, handle.name, found);
  }
  return found;
}
