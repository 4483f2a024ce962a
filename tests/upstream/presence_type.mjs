// The type that the presence tests make up, as one that pilcrowd knows: texts, edited by {index, value} and
// {index, del}. Here it speaks text-unicode to the server; what it does with texts and carets is its own.
const decode = op => {
  if (!Array.isArray(op)) return op;
  const [index, change] = typeof op[0] === 'number' ? op : [0, op[0]];

  return typeof change === 'string' ? { index, value: change } : { index, del: change.d };
};

const encode = op => {
  if (Array.isArray(op)) return op;
  return [...(op.index ? [op.index] : []), op.value ?? { d: op.del }];
};

export const asTextUnicode = type => ({
  ...type,
  name: 'text-unicode',
  uri: 'http://sharejs.org/types/text-unicode',
  normalize: encode,
  apply: (text, op) => type.apply(text, decode(op)),
  transformPresence: (presence, op, isOwn) => type.transformPresence(presence, decode(op), isOwn),
});
