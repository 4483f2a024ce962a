// Where things are, seen from the page itself: it works under any base path, so nothing here begins with "/".
export interface Address {
  collection: string;
  id: string;
}

export const START_COLLECTION = 'notes';

const base = new URL(document.documentElement.dataset.base ?? '.', location.href);
const alphabet = '0123456789abcdefghijkmnopqrstuvwxyz';

export const url = (path: string) => new URL(path, base).href;
export const namePath = (address: Address) => `${encodeURIComponent(address.collection)}/${encodeURIComponent(address.id)}`;
export const editorUrl = (address: Address) => url(`d/${namePath(address)}`);
export const documentUrl = (address: Address) => url(`v1/docs/${namePath(address)}`);

// A browser can't set headers on a WebSocket, so the token is in its address.
export function socketUrl(name: string, token: string): string {
  const socket = new URL('v1/ws', base);

  socket.protocol = socket.protocol === 'https:' ? 'wss:' : 'ws:';
  if (name) socket.searchParams.set('name', name);
  if (token) socket.searchParams.set('access_token', token);
  return socket.href;
}

// The document that this page edits: the last two segments of its address. null: they are no names.
export function addressOfPage(): Address | null {
  const [collection, id] = location.pathname.split('/').slice(-2).map(decoded);

  return collection && id ? { collection, id } : null;
}

function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

// 128 random bits as 25 letters and digits: nobody guesses it.
export function freshId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let number = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  let id = '';

  for (let i = 0; i < 25; i++, number /= BigInt(alphabet.length)) id += alphabet[Number(number % BigInt(alphabet.length))];
  return id;
}

// "collection/id", or an id alone in the usual collection. null: not a name.
export function parseName(text: string): Address | null {
  const name = text.trim();
  const slash = name.indexOf('/');
  const address =
    slash < 0 ? { collection: START_COLLECTION, id: name } : { collection: name.slice(0, slash), id: name.slice(slash + 1) };

  return isName(address.collection) && isName(address.id) ? address : null;
}

function isName(name: string): boolean {
  const nBytes = new TextEncoder().encode(name).length;

  return nBytes > 0 && nBytes <= 128 && name !== '.' && name !== '..' && !/[\u0000-\u001f\u007f]/.test(name);
}
