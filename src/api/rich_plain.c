#include "api/rich_lines.h"
#include "api/rich_write.h"

void rich_write_text(const struct ot_json *delta, struct buffer *into)
{
    struct rich_reader reader;
    struct rich_line line;
    struct rich_run run;

    rich_reader_init(&reader, delta);
    while (rich_line_next(&reader, &line)) {
        bool is_ended = line.end.i < ot_json_count(line.ops);

        while (rich_run_next(&line, &run)) {
            struct rich_embed embed = { .value = run.text };

            if (run.embed)
                rich_embed_read(&run, &embed);
            if (embed.kind == RICH_IMAGE && run.embed)
                embed.value = embed.alt;
            if (!run.embed || embed.kind == RICH_IMAGE || embed.kind == RICH_FORMULA)
                (void)buffer_append(into, embed.value.at, embed.value.n_bytes);
        }
        if (is_ended)
            (void)buffer_append(into, "\n", 1);
    }
}
