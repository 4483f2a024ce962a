import { answersLikeItsPackage } from './differential.mjs';
import * as type from './rounds/json0.mjs';

answersLikeItsPackage(type);
