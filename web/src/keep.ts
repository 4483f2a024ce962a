// What this browser remembers: the person's name, looks, and the documents opened lately. A browser that keeps nothing
// (private windows may refuse) costs only comfort.
import type { Address } from './address.ts';

export type Theme = 'light' | 'dark' | 'system';
export type Face = 'serif' | 'sans' | 'mono';

export interface Recent extends Address {
  title: string;
  openedAt: number; // milliseconds since 1970
}

export const NAME_MAX = 64;
const RECENT_MAX = 30;
const TOKEN = 'pilcrow.token';

let tokenOfPage = '';

function get(key: string): string | null {
  try {
    return localStorage.getItem(`pilcrow.${key}`);
  } catch {
    return null;
  }
}

function set(key: string, value: string): void {
  try {
    localStorage.setItem(`pilcrow.${key}`, value);
  } catch {
    // remembered no longer than this page
  }
}

export const ownName = () => get('name') ?? '';
export const keepName = (name: string) => set('name', name);

// What proves to the server who one is: for this window, or for this browser until one logs out.
export function ownToken(): string {
  try {
    return sessionStorage.getItem(TOKEN) ?? localStorage.getItem(TOKEN) ?? '';
  } catch {
    return tokenOfPage;
  }
}

export function keepToken(token: string, isStaying: boolean): void {
  tokenOfPage = token;
  try {
    sessionStorage.setItem(TOKEN, token);
    if (isStaying) localStorage.setItem(TOKEN, token);
  } catch {
    // remembered no longer than this page
  }
}

export function forgetToken(): void {
  tokenOfPage = '';
  try {
    sessionStorage.removeItem(TOKEN);
    localStorage.removeItem(TOKEN);
  } catch {
    // there was none
  }
}

export const theme = (): Theme => oneOf(get('theme'), ['light', 'dark']) ?? 'system';
export const face = (): Face => oneOf(get('face'), ['sans', 'mono']) ?? 'serif';

export function keepTheme(theme: Theme): void {
  set('theme', theme);
  showLooks();
}

export function keepFace(face: Face): void {
  set('face', face);
  showLooks();
}

// On the root element, where the style sheets look for it.
export function showLooks(): void {
  document.documentElement.dataset.theme = theme();
  document.documentElement.dataset.face = face();
}

function oneOf<T extends string>(value: string | null, allowed: readonly T[]): T | null {
  return allowed.find(one => one === value) ?? null;
}

export function recents(): Recent[] {
  try {
    const list: unknown = JSON.parse(get('recent') ?? '[]');

    return Array.isArray(list) ? list.filter(isRecent) : [];
  } catch {
    return [];
  }
}

function isRecent(one: any): one is Recent {
  return ['collection', 'id', 'title'].every(key => typeof one?.[key] === 'string') && typeof one.openedAt === 'number';
}

const isSame = (one: Address, other: Address) => one.collection === other.collection && one.id === other.id;

export function keepRecent(recent: Recent): void {
  set('recent', JSON.stringify([recent, ...recents().filter(one => !isSame(one, recent))].slice(0, RECENT_MAX)));
}

export function forgetRecent(address: Address): void {
  set('recent', JSON.stringify(recents().filter(one => !isSame(one, address))));
}
