/* Rich text as HTML, Markdown and plain text. tests/browser/rich.test.mjs has the same for many, read by Quill. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "api/rich_write.h"

static struct row {
    const char *name, *ops, *html, *markdown, *text; /* html: what stands in the body */
} rows[] = {
    { "nothing", "", "", "", "" },
    { "a paragraph", "{'insert':'a\\n'}", "<p>a</p>\n", "a\n", "a\n" },
    { "a last line without an end", "{'insert':'a\\nb'}", "<p>a</p>\n<p>b</p>\n", "a\n\nb\n", "a\nb" },
    { "a line without text", "{'insert':'a\\n\\nb\\n'}", "<p>a</p>\n<p><br></p>\n<p>b</p>\n", "a\n\nb\n", "a\n\nb\n" },
    { "marks of one another",
      "{'insert':'a','attributes':{'bold':true}},{'insert':'b','attributes':{'bold':true,'italic':true}}",
      "<p><strong>a<em>b</em></strong></p>\n", "**a<em>b</em>**\n", "ab" },
    { "marks by words",
      "{'insert':'the '},{'insert':'big "
      "','attributes':{'bold':true}},{'insert':'ink','attributes':{'bold':true,'italic':true}},{'insert':' is'}",
      "<p>the <strong>big <em>ink</em></strong> is</p>\n", "the **big _ink_** is\n", "the big ink is" },
    { "marks around spaces", "{'insert':'a'},{'insert':' b ','attributes':{'strike':true}},{'insert':'c'}",
      "<p>a<s> b </s>c</p>\n", "a ~~b~~ c\n", "a b c" },
    { "marks within a word",
      "{'insert':'a'},{'insert':'b','attributes':{'bold':true}},{'insert':'(c)','attributes':{'strike':true}},{'insert'"
      ":'d'}",
      "<p>a<strong>b</strong><s>(c)</s>d</p>\n", "a**b**<s>(c)</s>d\n", "ab(c)d" },
    { "what Markdown has no sign for",
      "{'insert':'a','attributes':{'underline':true,'color':'red','background':'#ff0'}},{'insert':'2','attributes':{'"
      "script':'super'}}",
      "<p><u><span style=\"color:red\"><span style=\"background-color:#ff0\">a</span></span></u><sup>2</sup></p>\n",
      "<u>a</u><sup>2</sup>\n", "a2" },
    { "what would be markup", "{'insert':'<b>&amp; *x* _y_ `z` [a](b) ~c~ \\\\ snake_case\\n'}",
      "<p>&lt;b&gt;&amp;amp; *x* _y_ `z` [a](b) ~c~ \\ snake_case</p>\n",
      "\\<b>\\&amp; \\*x\\* \\_y\\_ \\`z\\` \\[a\\](b) \\~c\\~ \\\\ snake_case\n",
      "<b>&amp; *x* _y_ `z` [a](b) ~c~ \\ snake_case\n" },
    { "what would begin a block", "{'insert':'# a\\n> b\\n- c\\n---\\n12. d\\n1'},{'insert':') e\\n'}",
      "<p># a</p>\n<p>&gt; b</p>\n<p>- c</p>\n<p>---</p>\n<p>12. d</p>\n<p>1) e</p>\n",
      "\\# a\n\n\\> b\n\n\\- c\n\n\\---\n\n12\\. d\n\n1\\) e\n", "# a\n> b\n- c\n---\n12. d\n1) e\n" },
    { "what would be an address", "{'insert':'http://a www.b c@d\\n'}", "<p>http://a www.b c@d</p>\n",
      "http\\://a www\\.b c\\@d\n", "http://a www.b c@d\n" },
    { "spaces that would be lost", "{'insert':'  a   b '}", "<p>&nbsp; a &nbsp; b&nbsp;</p>\n",
      "&#32;&#32;a   b&#32;\n", "  a   b " },
    { "tabs, and a space that is a letter's", "{'insert':'\\ta\u00a0'}", "<p>\ta\u00a0</p>\n", "&#9;a\u00a0\n",
      "\ta\u00a0" },
    { "control characters", "{'insert':'a\\r\\u0000\\u001b[1mb'}", "<p>a[1mb</p>\n", "a\\[1mb\n", NULL },
    { "code", "{'insert':'a`b','attributes':{'code':true}},{'insert':'c','attributes':{'code':true,'color':'red'}}",
      "<p><code>a`b</code><span style=\"color:red\"><code>c</code></span></p>\n", "``a`b``<!-- -->`c`\n", "a`bc" },
    { "headings",
      "{'insert':'a "
      "#'},{'insert':'\\n','attributes':{'header':2,'align':'center'}},{'insert':'b'},{'insert':'\\n','attributes':{'"
      "header':7}}",
      "<h2 style=\"text-align:center\">a #</h2>\n<p>b</p>\n", "## a \\#\n\nb\n", "a #\nb\n" },
    { "a quotation of two lines, from right to left",
      "{'insert':'a\\nb'},{'insert':'\\n','attributes':{'blockquote':true,'direction':'rtl'}}",
      "<p>a</p>\n<blockquote>\n<p dir=\"rtl\">b</p>\n</blockquote>\n", "a\n\n> b\n", "a\nb\n" },
    { "consecutive lines of a quotation",
      "{'insert':'a'},{'insert':'\\n','attributes':{'blockquote':true}},{'insert':'b'},{'insert':'\\n','attributes':{'"
      "blockquote':true}}",
      "<blockquote>\n<p>a</p>\n<p>b</p>\n</blockquote>\n", "> a\n>\n> b\n", "a\nb\n" },
    { "code of two languages",
      "{'insert':'a "
      "<b>'},{'insert':'\\n','attributes':{'code-block':'js'}},{'insert':'```','attributes':{'bold':true}},{'insert':'"
      "\\n','attributes':{'code-block':'js'}},{'insert':'c'},{'insert':'\\n','attributes':{'code-block':true}}",
      "<pre data-language=\"js\"><code>a &lt;b&gt;\n```\n</code></pre>\n<pre><code>c\n</code></pre>\n",
      "````js\na <b>\n```\n````\n\n```\nc\n```\n", "a <b>\n```\nc\n" },
    { "lists within lists",
      "{'insert':'a'},{'insert':'\\n','attributes':{'list':'ordered'}},{'insert':'b'},{'insert':'\\n','attributes':{'"
      "list':'bullet','indent':1}},{'insert':'c'},{'insert':'\\n','attributes':{'list':'ordered'}},{'insert':'d\\n'}",
      "<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol>\n<p>d</p>\n", "1. a\n   - b\n2. c\n\nd\n", "a\nb\nc\nd\n" },
    { "a list deeper than its place", "{'insert':'a'},{'insert':'\\n','attributes':{'list':'bullet','indent':1}}",
      "<ul><li class=\"none\"><ul><li>a</li></ul></li></ul>\n", "- - a\n", "a\n" },
    { "an indent beyond all", "{'insert':'a'},{'insert':'\\n','attributes':{'list':'bullet','indent':1000000}}",
      "<ul><li>a</li></ul>\n", "- a\n", "a\n" },
    { "tasks",
      "{'insert':'a'},{'insert':'\\n','attributes':{'list':'checked'}},{'insert':'\\n','attributes':{'list':'unchecked'"
      "}}",
      "<ul><li data-list=\"checked\"><input type=\"checkbox\" checked disabled>a</li>"
      "<li data-list=\"unchecked\"><input type=\"checkbox\" disabled><br></li></ul>\n",
      "- [x] a\n- [ ] &#32;\n", "a\n\n" },
    { "two lists with a line between them",
      "{'insert':'a'},{'insert':'\\n','attributes':{'list':'ordered'}},{'insert':'\\nb'},{'insert':'\\n','attributes':{"
      "'list':'ordered'}}",
      "<ol><li>a</li></ol>\n<p><br></p>\n<ol><li>b</li></ol>\n", "1. a\n\n<!-- -->\n\n1. b\n", "a\n\nb\n" },
    { "a link", "{'insert':'a','attributes':{'link':'http://x/?a=1&b=(2)'}}",
      "<p><a href=\"http://x/?a=1&amp;b=(2)\">a</a></p>\n", "[a](<http://x/?a=1\\&b=(2)>)\n", "a" },
    { "a link to here", "{'insert':'a','attributes':{'link':'/b:c'}}", "<p><a href=\"/b:c\">a</a></p>\n",
      "[a](</b:c>)\n", "a" },
    { "links that would run",
      "{'insert':'a','attributes':{'link':'javascript:alert(1)'}},{'insert':'b','attributes':{'link':' "
      "JavaScript:alert(1)'}},{'insert':'c','attributes':{'link':'java\\nscript:alert(1)'}},{'insert':'d','attributes':"
      "{'link':'data:text/html,x'}},{'insert':'e','attributes':{'link':7}}",
      "<p>abcde</p>\n", "abcde\n", "abcde" },
    { "an address that would end its attribute", "{'insert':'a','attributes':{'link':'x\\\"><script>'}}",
      "<p><a href=\"x&quot;&gt;&lt;script&gt;\">a</a></p>\n", "[a](<x\"\\>\\<script\\>>)\n", "a" },
    { "colours that are none",
      "{'insert':'a','attributes':{'color':'red;background:url(x)','background':'url(x)'}},{'insert':'b','attributes':{"
      "'color':'rgb(1,2,3);x'}},{'insert':'c','attributes':{'color':'#12345678\\\"'}}",
      "<p>abc</p>\n", "abc\n", "abc" },
    { "a picture", "{'insert':{'image':'https://x/y.png'},'attributes':{'alt':'[dot]','width':'40','height':'x'}}",
      "<p><img src=\"https://x/y.png\" alt=\"[dot]\" width=\"40\"></p>\n", "![\\[dot\\]](<https://x/y.png>)\n",
      "[dot]" },
    { "pictures that are none",
      "{'insert':{'image':'javascript:x'},'attributes':{'alt':'a'}},{'insert':{'image':'data:image/"
      "svg+xml;base64,x'}},{'insert':{'image':{}}}",
      "<p>a</p>\n", "a\n", "a" },
    { "a picture in the address", "{'insert':{'image':'data:image/png;base64,AA=='}}",
      "<p><img src=\"data:image/png;base64,AA==\" alt=\"\"></p>\n", "![](<data:image/png;base64,AA==>)\n", "" },
    { "a film, a formula, something else",
      "{'insert':{'video':'https://x/'}},{'insert':{'formula':'a<b'}},{'insert':{'map':{'x':1}}}",
      "<p><a class=\"ql-video\" href=\"https://x/\">https://x/</a><span class=\"ql-formula\" "
      "data-value=\"a&lt;b\">a&lt;b</span>"
      "<span data-embed=\"map\">[map]</span></p>\n",
      "[https\\://x/](<https://x/>)`a<b`\\[map\\]\n", "a<b" },
    { "attributes that nobody knows",
      "{'insert':'a','attributes':{'mention':{'id':1},'bold':null,'italic':false}},{'insert':'\\n','attributes':{'list'"
      ":false,'header':null,'layout':9}}",
      "<p>a</p>\n", "a\n", "a\n" },
};

static struct ot_json *delta_of(const char *ops)
{
    char text[2048];
    struct ot_json *delta = NULL;
    int n = snprintf(text, sizeof(text), "{\"ops\":[%s]}", ops);

    for (char *at = text; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    if (ot_json_parse(text, (size_t)n, NULL, &delta, NULL))
        fail_msg("no JSON: %s", text);
    return delta;
}

static void is_written(const struct buffer *buffer, const char *before, const char *want, const char *behind)
{
    char whole[2048];

    (void)snprintf(whole, sizeof(whole), "%s%s%s", before, want, behind);
    assert_int_equal(buffer->error, 0);
    if (!bytes_equal(buffer_bytes(buffer), bytes_of_string(whole)))
        fail_msg("want: %s\ngot:  %.*s", whole, (int)buffer->n_bytes, buffer->at ? buffer->at : "");
}

#define HEAD                                                                                                           \
    "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"     \
    "<title>&lt;id&gt;</title>\n<style>p,h1,h2,h3,h4,h5,h6,li{white-space:pre-wrap}"                                   \
    "li[data-list],li.none{list-style:none}img{max-width:100%}</style></head><body>\n"

static void reads_as(void **state)
{
    const struct row *row = *state;
    struct ot_json *delta = delta_of(row->ops);
    struct buffer written;

    buffer_init(&written, 1 << 16);
    rich_write_html(delta, bytes_of_string("<id>"), &written);
    is_written(&written, HEAD, row->html, "</body></html>\n");
    buffer_reset(&written);
    rich_write_markdown(delta, &written);
    is_written(&written, "", row->markdown, "");
    buffer_reset(&written);
    rich_write_text(delta, &written);
    if (row->text)
        is_written(&written, "", row->text, "");
    buffer_finish(&written);
    ot_json_unref(delta);
}

/* Wherever it stops, the failure stays in the buffer. */
static void a_ceiling_is_kept(void **state)
{
    struct ot_json *delta =
        delta_of("{'insert':'  a','attributes':{'bold':true}},{'insert':'\\n','attributes':{'list':'bullet'}}");

    for (size_t max = 0; max < 8; max++) {
        struct buffer written;

        buffer_init(&written, max);
        rich_write_html(delta, bytes_of_string("id"), &written);
        assert_int_equal(written.error, -E2BIG);
        buffer_reset(&written);
        rich_write_markdown(delta, &written);
        assert_int_equal(written.error, -E2BIG);
        buffer_finish(&written);
    }
    ot_json_unref(delta);
}

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

int main(void)
{
    struct CMUnitTest tests[N_ROWS + 1];

    for (size_t i = 0; i < N_ROWS; i++)
        tests[i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = reads_as, .initial_state = &rows[i] };
    tests[N_ROWS] = (struct CMUnitTest)cmocka_unit_test(a_ceiling_is_kept);
    return cmocka_run_group_tests_name("rich text", tests, NULL, NULL);
}
