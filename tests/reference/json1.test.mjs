import { answersLikeItsPackage } from './differential.mjs';
import * as type from './rounds/json1.mjs';

answersLikeItsPackage(type);
