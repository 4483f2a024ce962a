import { answersLikeItsPackage } from './differential.mjs';
import * as type from './rounds/rich-text.mjs';

answersLikeItsPackage(type);
