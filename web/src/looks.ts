// Runs before the first paint, so that a chosen theme does not flash.
import { showLooks } from './keep.ts';

showLooks();
