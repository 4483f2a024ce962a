#include "tests/unit/ot/json1_random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* json1 in rows: what an operation does to a document, what becomes of two that meet, what is refused. A row is a
 * request to the calculator and the answer that must come back; where it is refused, the code and the sentence. */

static const struct row {
    const char *name, *request, *want;
} rows[] = {
    /* apply */
    { "apply: two values swap",
      "apply\",\"args\":[{\"x\":1,\"y\":2},[[\"x\",{\"p\":0,\"d\":1}],[\"y\",{\"p\":1,\"d\":0}]]]",
      "{\"ok\":{\"x\":2,\"y\":1}}" },
    { "apply: a value is replaced", "apply\",\"args\":[{\"a\":1},[\"a\",{\"r\":true,\"i\":2}]]", "{\"ok\":{\"a\":2}}" },
    { "apply: what lies inside what is picked is picked first",
      "apply\",\"args\":[{\"a\":{\"b\":1,\"c\":2}},[[\"a\",{\"p\":0},\"b\",{\"p\":1}],[\"x\",{\"d\":0}],[\"y\",{\"d\":"
      "1}]]]",
      "{\"ok\":{\"x\":{\"c\":2},\"y\":1}}" },
    { "apply: an inserted text is edited", "apply\",\"args\":[{},[\"a\",{\"i\":\"xy\",\"es\":[1,\"Q\"]}]]",
      "{\"ok\":{\"a\":\"xQy\"}}" },
    { "apply: one key, two places", "apply\",\"args\":[{\"l\":[0,1,2,3]},[\"l\",[0,{\"d\":0}],[3,{\"p\":0}]]]",
      "{\"ok\":{\"l\":[3,0,1,2]}}" },
    { "apply: places before and after in one list",
      "apply\",\"args\":[[0,1,2,3],[[0,{\"r\":true}],[1,{\"p\":0}],[2,{\"d\":0}],[3,{\"i\":\"x\"}]]]",
      "{\"ok\":[2,3,1,\"x\"]}" },
    { "apply: a drop inside what is dropped",
      "apply\",\"args\":[{\"a\":[],\"b\":{},\"c\":1},[[\"a\",{\"p\":0}],[\"b\",{\"p\":1}],[\"x\",{\"d\":1},\"in\",{"
      "\"d\":0},0,{\"i\":null}]]]",
      "{\"ok\":{\"c\":1,\"x\":{\"in\":[null]}}}" },
    { "apply: a number is added to", "apply\",\"args\":[[1,2],[1,{\"ena\":-0.5}]]", "{\"ok\":[1,1.5]}" },
    { "apply: a text edit counts code points", "apply\",\"args\":[[\"😀b\"],[0,{\"es\":[1,{\"d\":\"b\"},\"é\"]}]]",
      "{\"ok\":[\"😀é\"]}" },
    { "apply: an edit of another type",
      "apply\",\"args\":[{\"doc\":[{\"insert\":\"ab\"}]},[\"doc\",{\"et\":\"rich-text\",\"e\":[{\"retain\":1},{"
      "\"insert\":\"x\"}]}]]",
      "{\"ok\":{\"doc\":{\"ops\":[{\"insert\":\"axb\"}]}}}" },
    { "apply: the root is replaced", "apply\",\"args\":[{\"a\":1},[{\"r\":true,\"i\":[]}]]", "{\"ok\":[]}" },
    { "apply: the root moves into what takes its place",
      "apply\",\"args\":[1,[{\"p\":0,\"i\":{\"a\":[]}},\"a\",0,{\"d\":0}]]", "{\"ok\":{\"a\":[1]}}" },
    { "apply: nothing", "apply\",\"args\":[{\"a\":1},null]", "{\"ok\":{\"a\":1}}" },
    { "apply: even r:false removes", "apply\",\"args\":[{\"a\":1},[\"a\",{\"r\":false}]]", "{\"ok\":{}}" },
    { "apply: no document may be left", "apply\",\"args\":[{\"a\":1},[{\"r\":true}]]",
      "not_applied: the operation leaves no document" },
    { "apply: nothing to pick", "apply\",\"args\":[{\"a\":1},[[\"b\",{\"p\":0}],[\"c\",{\"d\":0}]]]",
      "not_applied: at /b: there is nothing to pick or to remove" },
    { "apply: nothing to remove", "apply\",\"args\":[{\"l\":[1]},[\"l\",1,{\"r\":true}]]",
      "not_applied: at /l/1: there is nothing to pick or to remove" },
    { "apply: keys that objects of JavaScript inherit are not there",
      "apply\",\"args\":[{},[\"toString\",{\"r\":true}]]",
      "not_applied: at /toString: there is nothing to pick or to remove" },
    { "apply: a drop onto something", "apply\",\"args\":[{\"a\":1,\"b\":2},[[\"a\",{\"p\":0}],[\"b\",{\"d\":0}]]]",
      "not_applied: at /b: a drop onto something that is there" },
    { "apply: an insert onto something", "apply\",\"args\":[{\"a\":1},[\"a\",{\"i\":2}]]",
      "not_applied: at /a: a drop onto something that is there" },
    { "apply: an insert past the end of a list", "apply\",\"args\":[[1],[2,{\"i\":2}]]",
      "not_applied: at /2: a drop past the end of the list" },
    { "apply: an index in an object", "apply\",\"args\":[{},[0,{\"i\":2}]]",
      "not_applied: at /0: a drop where there is no such container" },
    { "apply: a text as key of a list", "apply\",\"args\":[[],[\"0\",{\"i\":2}]]",
      "not_applied: at /0: a drop where there is no such container" },
    { "apply: into what is no container", "apply\",\"args\":[{\"a\":1},[\"a\",\"b\",{\"i\":2}]]",
      "not_applied: at /a/b: a drop where there is no such container" },
    { "apply: into what is removed", "apply\",\"args\":[{\"a\":{}},[\"a\",{\"r\":true},\"b\",{\"i\":2}]]",
      "not_applied: at /a: there is nothing to edit or to drop into" },
    { "apply: a number added to a text", "apply\",\"args\":[{\"a\":\"1\"},[\"a\",{\"ena\":1}]]",
      "not_applied: at /a: a number is added to something else" },
    { "apply: a number added to the length of a list", "apply\",\"args\":[{\"a\":[1]},[\"a\",\"length\",{\"ena\":1}]]",
      "not_applied: at /a/length: there is nothing to edit or to drop into" },
    { "apply: a sum beyond double", "apply\",\"args\":[[1.7e+308],[0,{\"ena\":1.7e+308}]]",
      "not_applied: at /0: a sum is out of range" },
    { "apply: a text edit of a number", "apply\",\"args\":[[1],[0,{\"es\":[\"x\"]}]]",
      "not_applied: at /0: a text edit of something else" },
    { "apply: a text edit past the end", "apply\",\"args\":[[\"ab\"],[0,{\"es\":[{\"d\":3}]}]]",
      "not_applied: at /0: deletes past the end of the text" },
    { "apply: a text edit that names other text", "apply\",\"args\":[[\"ab\"],[0,{\"es\":[{\"d\":\"b\"}]}]]",
      "not_applied: at /0: names another text than it deletes at 0" },
    /* transform */
    { "equal inserts: one is enough",
      "transform\",\"args\":[[\"a\",{\"i\":{\"x\":[1]}}],[\"a\",{\"i\":{\"x\":[1]}}],\"left\"]", "{\"ok\":null}" },
    { "different inserts at one key", "transform\",\"args\":[[\"a\",{\"i\":1}],[\"a\",{\"i\":2}],\"left\"]",
      "conflict: two drops at one place, at /a" },
    { "a move onto an insert",
      "transform\",\"args\":[[[\"a\",{\"p\":0}],[\"b\",{\"d\":0}]],[\"b\",{\"i\":2}],\"left\"]",
      "conflict: two drops at one place, at /b" },
    { "inserts at one index: left goes first", "transform\",\"args\":[[0,{\"i\":1}],[0,{\"i\":2}],\"left\"]",
      "{\"ok\":[0,{\"i\":1}]}" },
    { "inserts at one index: right goes second", "transform\",\"args\":[[0,{\"i\":1}],[0,{\"i\":2}],\"right\"]",
      "{\"ok\":[1,{\"i\":1}]}" },
    { "both move one value: left wins",
      "transform\",\"args\":[[[\"x\",{\"p\":0}],[\"y\",{\"d\":0}]],[[\"x\",{\"p\":0}],[\"z\",{\"d\":0}]],\"left\"]",
      "{\"ok\":[[\"y\",{\"d\":0}],[\"z\",{\"p\":0}]]}" },
    { "both move one value: right yields",
      "transform\",\"args\":[[[\"x\",{\"p\":0}],[\"y\",{\"d\":0}]],[[\"x\",{\"p\":0}],[\"z\",{\"d\":0}]],\"right\"]",
      "{\"ok\":null}" },
    { "both remove one value", "transform\",\"args\":[[\"x\",{\"r\":true}],[\"x\",{\"r\":1}],\"left\"]",
      "{\"ok\":null}" },
    { "a remove follows a move",
      "transform\",\"args\":[[\"a\",{\"r\":true}],[[\"a\",{\"p\":0}],[\"b\",{\"d\":0}]],\"right\"]",
      "{\"ok\":[\"b\",{\"r\":true}]}" },
    { "a move of what is removed",
      "transform\",\"args\":[[[\"a\",{\"p\":0}],[\"b\",{\"d\":0}]],[\"a\",{\"r\":true}],\"left\"]", "{\"ok\":null}" },
    { "a remove loses the content it named",
      "transform\",\"args\":[[\"a\",{\"r\":\"old\"}],[\"b\",{\"i\":1}],\"left\"]", "{\"ok\":[\"a\",{\"r\":true}]}" },
    { "an edit follows a move",
      "transform\",\"args\":[[\"a\",{\"es\":[\"x\"]}],[[\"a\",{\"p\":0}],[\"l\",0,{\"d\":0}]],\"left\"]",
      "{\"ok\":[\"l\",0,{\"es\":[\"x\"]}]}" },
    { "two edits of one text", "transform\",\"args\":[[\"a\",{\"es\":[\"x\"]}],[\"a\",{\"es\":[\"y\"]}],\"right\"]",
      "{\"ok\":[\"a\",{\"es\":[1,\"x\"]}]}" },
    { "two edits that leave nothing",
      "transform\",\"args\":[[\"a\",{\"es\":[{\"d\":1}]}],[\"a\",{\"es\":[{\"d\":1}]}],\"left\"]", "{\"ok\":null}" },
    { "a number added is added", "transform\",\"args\":[[\"a\",{\"ena\":1}],[\"a\",{\"ena\":2}],\"left\"]",
      "{\"ok\":[\"a\",{\"ena\":1}]}" },
    { "an insert into what the other removes",
      "transform\",\"args\":[[\"a\",\"b\",{\"i\":1}],[\"a\",{\"r\":true}],\"left\"]",
      "conflict: content removed unexpectedly, at /a/b" },
    { "an edit of what the other removes", "transform\",\"args\":[[\"a\",{\"ena\":1}],[\"a\",{\"r\":true}],\"right\"]",
      "conflict: content removed unexpectedly, at /a" },
    { "removes what the other inserts into",
      "transform\",\"args\":[[\"a\",{\"r\":true}],[\"a\",\"b\",{\"i\":1}],\"left\"]",
      "conflict: content removed unexpectedly, at /a/b" },
    { "a move into what the other moves into it",
      "transform\",\"args\":[[[\"x\",{\"p\":0}],[\"y\",\"a\",{\"d\":0}]],[[\"x\",\"a\",{\"d\":0}],[\"y\",{\"p\":0}]],"
      "\"left\"]",
      "conflict: moves into each other, at /y/a" },
    { "an edit inside two moves",
      "transform\",\"args\":[[[\"a\",{\"p\":0}],[\"b\",{\"d\":0},\"t\",{\"es\":[\"x\"]}]],[\"a\",\"t\",{\"es\":[\"y\"]}"
      "],\"left\"]",
      "{\"ok\":[[\"a\",{\"p\":0}],[\"b\",{\"d\":0},\"t\",{\"es\":[\"x\"]}]]}" },
    { "a list: what is removed before moves the rest",
      "transform\",\"args\":[[3,{\"i\":\"x\"}],[[0,{\"r\":true}],[1,{\"r\":true}]],\"left\"]",
      "{\"ok\":[1,{\"i\":\"x\"}]}" },
    { "nothing over something", "transform\",\"args\":[null,[\"a\",{\"i\":1}],\"left\"]", "{\"ok\":null}" },
    { "something over nothing", "transform\",\"args\":[[\"a\",{\"i\":1}],null,\"right\"]",
      "{\"ok\":[\"a\",{\"i\":1}]}" },
    { "two edits of different types", "transform\",\"args\":[[\"a\",{\"es\":[\"x\"]}],[\"a\",{\"ena\":1}],\"left\"]",
      "not_applied: one value is edited as two types" },
    { "a side must be left or right", "transform\",\"args\":[[\"a\",{\"i\":1}],[\"a\",{\"i\":1}],\"middle\"]",
      "bad_request: the side must be \"left\" or \"right\"" },
    /* resolving */
    { "resolving: left keeps its insert",
      "transformNoConflict\",\"args\":[[\"a\",{\"i\":1}],[\"a\",{\"i\":2}],\"left\"]",
      "{\"ok\":[\"a\",{\"r\":true,\"i\":1}]}" },
    { "resolving: right gives its insert up",
      "transformNoConflict\",\"args\":[[\"a\",{\"i\":1}],[\"a\",{\"i\":2}],\"right\"]", "{\"ok\":null}" },
    { "resolving: what is removed stays removed",
      "transformNoConflict\",\"args\":[[\"a\",\"b\",{\"i\":1}],[\"a\",{\"r\":true}],\"left\"]", "{\"ok\":null}" },
    { "resolving: moves into each other are both taken back",
      "transformNoConflict\",\"args\":[[[\"x\",{\"p\":0}],[\"y\",\"a\",{\"d\":0}]],[[\"x\",\"a\",{\"d\":0}],[\"y\",{"
      "\"p\":0}]],\"left\"]",
      "{\"ok\":[\"x\",{\"r\":true},\"a\",{\"r\":true}]}" },
    { "resolving: the package's two answers lead to two documents",
      "transformNoConflict\",\"args\":[[[0,\"a\",{\"p\":0}],[1,\"a\",{\"d\":0}],[2,{\"r\":true}]],"
      "[[0,{\"p\":1},[\"a\",{\"i\":\"x\"}],[\"b\",0,\"a\",{\"d\":0},1,{\"d\":1}]],[1,{\"i\":[]}],[2,{\"p\":0}]],"
      "\"left\"]",
      "conflict: a conflict whose two resolutions lead to different documents" },
    { "resolving: not for ever",
      "transformNoConflict\",\"args\":[[[\"a\",{\"p\":0,\"d\":0},[0,{\"i\":38}],[1,{\"i\":{}}],[2,0,{\"i\":97}],[3,0,{"
      "\"d\":1},\"in\",{\"i\":null}]],[\"b\",{\"p\":1},\"c\",{\"r\":{}}]],[[\"a\",{\"p\":0},[0,{\"p\":3}],[1,{\"p\":1}]"
      "],[\"b\",{\"p\":2},\"c\",{\"r\":{}}],[\"time\",{\"d\":0},0,{\"d\":1},0,{\"d\":2},\"7\",{\"d\":3}]],\"left\"]",
      "conflict: conflicts that are not resolved after 50 rounds" },
    /* compose */
    { "a move of what was moved is one move",
      "compose\",\"args\":[[[\"a\",{\"p\":0}],[\"b\",{\"d\":0}]],[[\"b\",{\"p\":0}],[\"c\",{\"d\":0}]]]",
      "{\"ok\":[[\"a\",{\"p\":0}],[\"c\",{\"d\":0}]]}" },
    { "what is inserted and removed", "compose\",\"args\":[[\"a\",{\"i\":[1]}],[\"a\",{\"r\":true}]]",
      "{\"ok\":null}" },
    { "what is moved and removed", "compose\",\"args\":[[[\"a\",{\"p\":0}],[\"b\",{\"d\":0}]],[\"b\",{\"r\":\"v\"}]]",
      "{\"ok\":[\"a\",{\"r\":\"v\"}]}" },
    { "changes inside an inserted value",
      "compose\",\"args\":[[\"a\",{\"i\":[1,{\"k\":2},3]}],[\"a\",[0,{\"r\":true}],[1,\"k\",{\"p\":0}],[2,{\"d\":0}]]]",
      "{\"ok\":[\"a\",{\"i\":[{},3]},2,{\"i\":2}]}" },
    { "an inserted value that moves",
      "compose\",\"args\":[[\"a\",{\"i\":\"v\"}],[[\"a\",{\"p\":0}],[\"b\",{\"d\":0}]]]",
      "{\"ok\":[\"b\",{\"i\":\"v\"}]}" },
    { "edits of one text", "compose\",\"args\":[[\"a\",{\"es\":[\"x\"]}],[\"a\",{\"es\":[1,\"y\"]}]]",
      "{\"ok\":[\"a\",{\"es\":[\"xy\"]}]}" },
    { "edits of one number", "compose\",\"args\":[[\"a\",{\"ena\":0.1}],[\"a\",{\"ena\":0.2}]]",
      "{\"ok\":[\"a\",{\"ena\":0.30000000000000004}]}" },
    { "an edit of what is removed vanishes", "compose\",\"args\":[[\"a\",\"b\",{\"ena\":1}],[\"a\",{\"r\":true}]]",
      "{\"ok\":[\"a\",{\"r\":true}]}" },
    { "nothing and something", "compose\",\"args\":[null,[\"a\",{\"r\":true}]]", "{\"ok\":[\"a\",{\"r\":true}]}" },
    /* invert, makeInvertible */
    { "invert: an edited insert is removed as it was in the end",
      "invert\",\"args\":[[\"a\",{\"i\":[\"x\"]},0,{\"es\":[\"y\"]}]]", "{\"ok\":[\"a\",{\"r\":[\"yx\"]}]}" },
    { "invert: an edit goes back with its value",
      "invert\",\"args\":[[[\"a\",{\"p\":0}],[\"b\",{\"d\":0},\"n\",{\"ena\":2}]]]",
      "{\"ok\":[[\"a\",{\"d\":0},\"n\",{\"ena\":-2}],[\"b\",{\"p\":0}]]}" },
    { "invert: not without the deleted text", "invert\",\"args\":[[\"a\",{\"es\":[{\"d\":1}]}]]",
      "bad_op: the operation does not hold the text that it deletes" },
    { "makeInvertible: a removed value is what picks leave of it",
      "makeInvertible\",\"args\":[[[\"a\",{\"r\":true},\"b\",{\"p\":0}],[\"c\",{\"d\":0}]],{\"a\":{\"b\":1,\"d\":2}}]",
      "{\"ok\":[[\"a\",{\"r\":{\"d\":2}},\"b\",{\"p\":0}],[\"c\",{\"d\":0}]]}" },
    { "makeInvertible: edits name their text",
      "makeInvertible\",\"args\":[[[\"a\",{\"p\":0}],[\"b\",{\"d\":0},\"t\",{\"es\":[1,{\"d\":1}]}]],{\"a\":{\"t\":"
      "\"xyz\"}}]",
      "{\"ok\":[[\"a\",{\"p\":0}],[\"b\",{\"d\":0},\"t\",{\"es\":[1,{\"d\":\"y\"}]}]]}" },
    { "makeInvertible: the operation must fit", "makeInvertible\",\"args\":[[\"a\",{\"r\":true}],{}]",
      "not_applied: at /a: there is nothing to pick or to remove" },
    { "invertWithDoc: back to the document",
      "invertWithDoc\",\"args\":[[[\"a\",{\"r\":true}],[\"b\",{\"i\":1}]],{\"a\":[2]}]",
      "{\"ok\":[[\"a\",{\"i\":[2]}],[\"b\",{\"r\":1}]]}" },
    /* positions */
    { "position: follows a move",
      "transformPosition\",\"args\":[[\"a\",\"b\",0],[[\"a\",{\"p\":0}],[\"z\",{\"d\":0}]]]",
      "{\"ok\":[\"z\",\"b\",0]}" },
    { "position: in a text", "transformPosition\",\"args\":[[\"s\",2],[\"s\",{\"es\":[\"xx\"]}]]",
      "{\"ok\":[\"s\",4]}" },
    { "position: removed", "transformPosition\",\"args\":[[1,\"x\"],[1,{\"r\":true}]]", "{\"ok\":null}" },
    { "position: saved from what is removed",
      "transformPosition\",\"args\":[[\"a\",\"b\",1],[[\"a\",{\"r\":true},\"b\",{\"p\":0}],[\"c\",{\"d\":0}]]]",
      "{\"ok\":[\"c\",1]}" },
    { "position: behind inserts and removes",
      "transformPosition\",\"args\":[[3],[[0,{\"r\":true,\"i\":1}],[1,{\"r\":true}],[2,{\"i\":2}],[3,{\"i\":3}]]]",
      "{\"ok\":[4]}" },
    { "position: must be a list", "transformPosition\",\"args\":[1,null]",
      "bad_op: a position must be a list of keys" },
    { "position: of keys", "transformPosition\",\"args\":[[1.5],null]",
      "bad_op: key 0 of the position is neither a string nor an index" },
    /* normal form, checks */
    { "normalize: slots in the order of the walk",
      "normalize\",\"args\":[[[\"a\",{\"p\":1}],[\"b\",{\"p\":0}],[\"c\",{\"d\":0}],[\"e\",{\"d\":1}]]]",
      "{\"ok\":[[\"a\",{\"p\":0}],[\"b\",{\"p\":1}],[\"c\",{\"d\":1}],[\"e\",{\"d\":0}]]}" },
    { "normalize: short names of edits, empty ones left out",
      "normalize\",\"args\":[[[\"a\",{\"et\":\"text-unicode\",\"e\":[\"x\",\"y\",2]}],[\"b\",{\"et\":\"number\",\"e\":"
      "1}],[\"c\",{\"es\":[]}]]]",
      "{\"ok\":[[\"a\",{\"es\":[\"xy\"]}],[\"b\",{\"ena\":1}]]}" },
    { "normalize: a list of its own for one child", "normalize\",\"args\":[[[\"a\",[\"b\",{\"i\":1}]]]]",
      "{\"ok\":[\"a\",\"b\",{\"i\":1}]}" },
    { "normalize: nothing left", "normalize\",\"args\":[[\"a\",{\"es\":[]}]]", "{\"ok\":null}" },
    { "check: indexes before texts", "checkOp\",\"args\":[[[2,{\"i\":1}],[10,{\"i\":1}],[\"1\",{\"i\":1}]]]",
      "{\"ok\":true}" },
    { "check: texts by UTF-16 units", "checkOp\",\"args\":[[[\"𐀀\",{\"i\":1}],[\"￿\",{\"i\":1}]]]",
      "{\"ok\":true}" },
    { "check: not by code points", "checkOp\",\"args\":[[[\"￿\",{\"i\":1}],[\"𐀀\",{\"i\":1}]]]",
      "bad_op: at /𐀀: keys must be different and in order" },
    { "check: 1.0 is an index", "checkOp\",\"args\":[[1,{\"i\":1}]]", "{\"ok\":true}" },
    { "check: an operation is a list", "checkOp\",\"args\":[{}]", "bad_op: an operation must be null or a list" },
    { "check: no empty list", "checkOp\",\"args\":[[]]", "bad_op: at the root: a list that ends without a component" },
    { "check: a list ends with a component", "checkOp\",\"args\":[[\"a\"]]",
      "bad_op: at /a: a list that ends without a component" },
    { "check: no empty component", "checkOp\",\"args\":[[\"a\",{}]]", "bad_op: at /a: a component without content" },
    { "check: no two components in a row", "checkOp\",\"args\":[[\"a\",{\"r\":true},{\"i\":1}]]",
      "bad_op: at /a: a component that follows no key" },
    { "check: no list of its own for one child", "checkOp\",\"args\":[[[\"a\",{\"r\":true}]]]",
      "bad_op: at the root: a list that is the only one" },
    { "check: no key after lists",
      "checkOp\",\"args\":[[[\"a\",{\"r\":true}],[\"b\",{\"r\":true}],\"c\",{\"r\":true}]]",
      "bad_op: at the root: a key after lists" },
    { "check: no list without a key", "checkOp\",\"args\":[[\"a\",[{\"r\":true}],[\"b\",{\"r\":true}]]]",
      "bad_op: at /a: a list that begins without a key" },
    { "check: no list inside that is empty", "checkOp\",\"args\":[[\"a\",[],[\"b\",{\"r\":true}]]]",
      "bad_op: at /a: a list that begins without a key" },
    { "check: keys in order", "checkOp\",\"args\":[[[\"b\",{\"r\":true}],[\"a\",{\"r\":true}]]]",
      "bad_op: at /a: keys must be different and in order" },
    { "check: keys different", "checkOp\",\"args\":[[[\"a\",{\"r\":true}],[\"a\",{\"r\":true}]]]",
      "bad_op: at /a: keys must be different and in order" },
    { "check: no negative index", "checkOp\",\"args\":[[-1,{\"i\":1}]]",
      "bad_op: at the root: an index must be an integer from 0 to 2^31-1" },
    { "check: no fraction as index", "checkOp\",\"args\":[[1.5,{\"i\":1}]]",
      "bad_op: at the root: an index must be an integer from 0 to 2^31-1" },
    { "check: no index beyond 2^31-1", "checkOp\",\"args\":[[2147483648,{\"i\":1}]]",
      "bad_op: at the root: an index must be an integer from 0 to 2^31-1" },
    { "check: no key of null", "checkOp\",\"args\":[[null,{\"i\":1}]]",
      "bad_op: at the root: a key must be a string or an index" },
    { "check: no __proto__", "checkOp\",\"args\":[[\"__proto__\",{\"i\":1}]]",
      "bad_op: at the root: __proto__ can't be a key" },
    { "check: p or r", "checkOp\",\"args\":[[\"a\",{\"p\":0,\"r\":true,\"d\":0}]]",
      "bad_op: at /a: picked and removed" },
    { "check: d or i", "checkOp\",\"args\":[[\"a\",{\"p\":0,\"d\":0,\"i\":1}]]",
      "bad_op: at /a: dropped and inserted" },
    { "check: no drop without a pick", "checkOp\",\"args\":[[\"a\",{\"d\":0}]]",
      "bad_op: slots are not 0, 1, 2..., each with one p and one d" },
    { "check: no pick without a drop", "checkOp\",\"args\":[[\"a\",{\"p\":0}]]",
      "bad_op: slots are not 0, 1, 2..., each with one p and one d" },
    { "check: slots from 0", "checkOp\",\"args\":[[[\"a\",{\"p\":1}],[\"b\",{\"d\":1}]]]",
      "bad_op: slots are not 0, 1, 2..., each with one p and one d" },
    { "check: a slot once",
      "checkOp\",\"args\":[[[\"a\",{\"p\":0}],[\"b\",{\"p\":0}],[\"c\",{\"d\":0}],[\"e\",{\"d\":0}]]]",
      "bad_op: slots are not 0, 1, 2..., each with one p and one d" },
    { "check: no fraction as slot", "checkOp\",\"args\":[[[\"a\",{\"p\":0.5}],[\"b\",{\"d\":0.5}]]]",
      "bad_op: at /a: a slot must be an integer from 0 to 2^31-1" },
    { "check: one edit", "checkOp\",\"args\":[[\"a\",{\"es\":[\"x\"],\"ena\":1}]]", "bad_op: at /a: two edits" },
    { "check: one edit, not two forms of it", "checkOp\",\"args\":[[\"a\",{\"et\":\"number\",\"e\":1,\"ena\":1}]]",
      "bad_op: at /a: two edits" },
    { "check: an edit has a type", "checkOp\",\"args\":[[\"a\",{\"e\":1}]]",
      "bad_op: at /a: et must be the name of a type, and e the edit" },
    { "check: a type has an edit", "checkOp\",\"args\":[[\"a\",{\"et\":\"number\"}]]",
      "bad_op: at /a: et must be the name of a type, and e the edit" },
    { "check: a type that is known", "checkOp\",\"args\":[[\"a\",{\"et\":\"nothing\",\"e\":1}]]",
      "bad_op: at /a: et names no type" },
    { "check: only numbers are added", "checkOp\",\"args\":[[\"a\",{\"ena\":\"1\"}]]",
      "bad_op: at /a: only a number can be added" },
    { "check: text edits are checked", "checkOp\",\"args\":[[\"a\",{\"es\":[0,\"x\"]}]]",
      "bad_op: at /a: component 0: a length of 0" },
    { "check: no other field", "checkOp\",\"args\":[[\"a\",{\"x\":1}]]",
      "bad_op: at /a: a component has a field that is none of p, r, d, i, es, ena, et, e" },
    { "a function that json1 does not have", "transformPresence\",\"args\":[[],null,true]",
      "unsupported: json1 has no such function" },
};

/* The answer to a refusal as rows have it. */
static void add_refusal(struct text *text, const char *answer)
{
    struct ot_json *json = json_of(answer);
    struct ot_json *error = ot_json_get(json, "error", 5), *code = ot_json_get(json, "code", 4);
    size_t n_bytes;
    const char *string;

    assert_non_null(error);
    string = ot_json_string(code, &n_bytes);
    assert_int_equal(text_write(text, string, n_bytes), 0);
    text_add(text, ": ");
    string = ot_json_string(error, &n_bytes);
    assert_int_equal(text_write(text, string, n_bytes), 0);
    ot_json_unref(json);
}

static void answers(void **state)
{
    const struct row *row = *state;
    struct text request = { 0 }, answer = { 0 }, refusal = { 0 };

    text_add(&request, "{\"type\":\"json1\",\"fn\":\"");
    text_add(&request, row->request);
    text_add(&request, "}");
    assert_int_equal(ot_calculate_line(request.at, request.n_bytes, text_write, &answer), 0);
    answer.at[answer.n_bytes - 1] = 0; /* the end of the line */
    if (row->want[0] == '{') {
        assert_string_equal(answer.at, row->want);
    } else {
        add_refusal(&refusal, answer.at);
        assert_string_equal(refusal.at, row->want);
    }
    text_free(&request);
    text_free(&answer);
    text_free(&refusal);
}

/* ---- ceilings ---------------------------------------------------------------------------------------------------- */

static const struct ot_limits tight = { .max_depth = 3, .max_components = 3, .max_document_bytes = 100 };

static int parsed(const char *json)
{
    struct ot_json *value = json_of(json);
    struct ot_op *op = NULL;
    int r = ot_op_parse(json1_type(), value, &tight, &op, NULL);

    ot_json_unref(value);
    ot_op_unref(op);
    return r;
}

static void operations_have_ceilings(void **state)
{
    (void)state;
    assert_int_equal(parsed("[\"a\",\"b\",\"c\",{\"i\":1}]"), 0);
    assert_int_equal(parsed("[\"a\",\"b\",\"c\",\"d\",{\"i\":1}]"), OT_LIMIT);
    assert_int_equal(parsed("[[0,{\"i\":1}],[1,{\"i\":1}],[2,{\"i\":1}]]"), 0);
    assert_int_equal(parsed("[[0,{\"i\":1}],[1,{\"i\":1}],[2,{\"i\":1}],[3,{\"i\":1}]]"), OT_LIMIT);
}

static int applied_to(const char *data, const char *json)
{
    struct ot_snapshot *document = json1_document(data);
    struct ot_op *op = json1_op_from(json);
    char *before = json1_written(document), *after;
    int r = ot_snapshot_apply(document, op, &tight, NULL);

    after = json1_written(document);
    if (r)
        assert_string_equal(before, after);
    free(before);
    free(after);
    ot_op_unref(op);
    ot_snapshot_destroy(document);
    return r;
}

#define LONG_TEXT "0123456789012345678901234567890123456789012345678901234567890123456789"

static void documents_have_ceilings(void **state)
{
    (void)state;
    assert_int_equal(applied_to("[[],[]]", "[0,0,{\"i\":[]}]"), 0);
    assert_int_equal(applied_to("[[],[]]", "[0,0,{\"i\":[[]]}]"), OT_LIMIT);
    assert_int_equal(applied_to("[[],[[]]]", "[[0,0,{\"d\":0}],[1,{\"p\":0}]]"), OT_LIMIT);
    assert_int_equal(applied_to("[[[[1]]]]", "[0,{\"r\":true,\"d\":0},0,{\"p\":0}]"), 0);
    assert_int_equal(applied_to("[\"" LONG_TEXT "\"]", "[1,{\"i\":\"0123456789\"}]"), 0);
    assert_int_equal(applied_to("[\"" LONG_TEXT "\"]", "[1,{\"i\":\"" LONG_TEXT "\"}]"), OT_LIMIT);
    assert_int_equal(applied_to("[\"" LONG_TEXT "\"]", "[0,{\"es\":[\"" LONG_TEXT "\"]}]"), OT_LIMIT);
    assert_int_equal(applied_to("[\"" LONG_TEXT LONG_TEXT "\"]", "[0,{\"es\":[{\"d\":1}]}]"), 0);
}

static void the_empty_document_is_null(void **state)
{
    struct ot_snapshot *document = NULL;
    struct text json = { 0 };

    (void)state;
    assert_int_equal(ot_snapshot_create(json1_type(), NULL, NULL, &document, NULL), 0);
    assert_int_equal(ot_snapshot_write_json(document, text_write, &json), 0);
    assert_string_equal(json.at, "null");
    ot_snapshot_destroy(document);
    text_free(&json);
}

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

int main(void)
{
    static struct CMUnitTest tests[N_ROWS + 3] = {
        [N_ROWS] = cmocka_unit_test(operations_have_ceilings),
        [N_ROWS + 1] = cmocka_unit_test(documents_have_ceilings),
        [N_ROWS + 2] = cmocka_unit_test(the_empty_document_is_null),
    };

    for (size_t i = 0; i < N_ROWS; i++) {
        union {
            const struct row *row;
            void *state;
        } row = { .row = &rows[i] };

        tests[i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = answers, .initial_state = row.state };
    }
    return cmocka_run_group_tests_name("json1 in rows", tests, NULL, NULL);
}
