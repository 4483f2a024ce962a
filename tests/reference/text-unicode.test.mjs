import { answersLikeItsPackage } from './differential.mjs';
import * as type from './rounds/text-unicode.mjs';

answersLikeItsPackage(type);
