/* Bad specs: each is refused at an exact line and column, naming the key and what is allowed. */
#include "../base/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "sweep/space.h"
#include "sweep/spec.h"

struct bad {
    const char *text;     /* of the file, behind HEAD where it is not a whole file */
    int line, column;     /* of the whole file */
    const char *key;      /* NULL: none */
    const char *fragment; /* part of the message */
};

#define HEAD "version: 1\nname: t\ndata: {format: idx, path: d}\n"

static enum status parse(const char *head, const char *text, size_t n, struct err *e)
{
    struct strbuf file = STRBUF_INIT;
    struct spec spec;
    strbuf_puts(&file, head);
    strbuf_add(&file, text, n);
    enum status st = spec_parse(file.text, file.len, "t.yaml", &spec, e);
    if (st == ST_OK) {
        struct space space;
        st = space_build(&spec, &space, e);
        space_release(&space);
    }
    spec_release(&spec);
    strbuf_release(&file);
    return st;
}

static void check_error(const struct bad *bad, enum status st, const struct err *e)
{
    char start[128];
    snprintf(start, sizeof start, "t.yaml:%d:%d: %s%s", bad->line, bad->column, bad->key ? bad->key : "",
             bad->key ? ": " : "");
    if (st != ST_USAGE || strncmp(e->text, start, strlen(start)) != 0 || !strstr(e->text, bad->fragment))
        fail_msg("spec\n%s\ngave status %d \"%s\", expected \"%s ... %s\"", bad->text, st, e->text, start,
                 bad->fragment);
    assert_null(strchr(e->text, '\n'));
    assert_int_equal(mem_live(), 0);
}

static void check_table(const char *head, const struct bad *bad, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct err e = ERR_INIT;
        enum status st = parse(head, bad[i].text, strlen(bad[i].text), &e);
        check_error(&bad[i], st, &e);
    }
}
#define CHECK(head, table) check_table(head, table, sizeof(table) / sizeof *(table))

static void test_files(void **state)
{
    (void)state;
    static const struct bad table[] = {
        {"", 1, 1, NULL, "empty"},
        {"# only a comment\n", 1, 1, NULL, "empty"},
        {"---\n...\n", 1, 1, NULL, "empty"},
        {"- 1\n", 1, 1, NULL, "a list where a mapping is needed"},
        {"text", 1, 1, NULL, "a single value where a mapping is needed"},
        {"version: 1\nname: a\n", 1, 1, "data", "is missing"},
        {"name: a\n", 1, 1, "version", "is missing"},
        {"\nversion: 1\ndata: {format: idx, path: d}\n", 2, 1, "name", "is missing"},
        {"version: 2\nfuture: 1\n", 1, 10, "version", "\"2\" is out of range, allowed: 1"},
        {"version: one\n", 1, 10, "version", "is not a whole number, allowed: 1"},
        {"version: 1\nname: ..\ndata: {format: idx, path: d}\n", 2, 7, "name", "is not a name"},
        {"version: 1\nname: -rf\ndata: {format: idx, path: d}\n", 2, 7, "name", "the first no '.' or '-'"},
        {"version: 1\nname: a b\ndata: {format: idx, path: d}\n", 2, 7, "name", "is not a name"},
        {"version: 1\nname: ''\ndata: {format: idx, path: d}\n", 2, 7, "name", "is empty"},
        {"version: 1\nname:\ndata: {format: idx, path: d}\n", 2, 6, "name", "nothing (null)"},
        {"version: 1\nname: ~\ndata: {format: idx, path: d}\n", 2, 7, "name", "nothing (null)"},
        {"version: 1\nname: [a]\ndata: {format: idx, path: d}\n", 2, 7, "name",
         "a list where one value is needed"},
        {HEAD "---\nversion: 1\n", 4, 1, NULL, "second YAML document"},
        {HEAD "...\n---\na: b\n", 5, 1, NULL, "second YAML document"},
        {HEAD "version: 1\n", 4, 1, "version", "is given twice, first in line 1"},
        {HEAD "seed: [1]\n", 4, 1, NULL,
         "unknown key \"seed\", did you mean seeds?; allowed: version, name, data"},
        {HEAD "bananas: 1\n", 4, 1, NULL, "unknown key \"bananas\"; allowed:"},
        {HEAD "epochs: 1\n", 4, 1, NULL, "unknown key \"epochs\", which belongs to train; allowed: version,"},
        {HEAD "? [a, b]\n: 1\n", 4, 3, NULL, "a key must be plain text"},
        {HEAD "{a: b}: 1\n", 4, 1, NULL, "a key must be plain text"},
        {HEAD "~: 1\n", 4, 1, NULL, "unknown key \"~\""},
        {"version: !!int 1\n", 1, 10, NULL, "tags are not allowed"},
        {"# x\n%TAG ! tag:x\n---\nversion: !int 1\n", 2, 1, NULL, "tags are not allowed"},
        {HEAD "train: !recipe {lr: 1}\n", 4, 8, NULL, "tag \"!recipe\""},
    };
    CHECK("", table);
}

static void test_syntax(void **state)
{
    (void)state;
    static const struct bad table[] = {
        {"train:\n\tepochs: 1\n", 5, 1, NULL, "a tab cannot indent, use spaces"},
        {"train:\n  epochs: 1\n\tbatch: 2\n", 6, 1, NULL, "tab"},
        {"train: {epochs: 1\n", 5, 1, NULL,
         "YAML syntax: while parsing a flow mapping that began in line 4, "},
        {"train: [1, 2\nname: b\n", 5, 5, NULL, "YAML syntax"},
        {"train: 'abc\n", 5, 1, NULL, "YAML syntax: while scanning a quoted scalar"},
        {"train:\n  epochs: 1\n batch: 2\n", 6, 2, NULL, "YAML syntax"},
        {"train: epochs: 1\n", 4, 14, NULL, "mapping values are not allowed"},
        {"train: @x\n", 4, 8, NULL, "cannot start any token"},
        {"seeds: *none\n", 4, 8, NULL, "alias \"none\": no such anchor"},
        {"seeds: &s [1, *s]\n", 4, 15, NULL, "alias \"s\" stands inside its own anchor"},
        {"train: \"\\0\"\n", 4, 8, NULL, "NUL"},
    };
    CHECK(HEAD, table);
}

static void test_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
        struct bad expected;
    } table[] = {
        {"a\0b", 3, {"NUL byte", 4, 2, NULL, "U+0000 is not allowed"}},
        {"#\xc3\xa9\xff", 4, {"not UTF-8", 4, 3, NULL, "byte 0xff is not UTF-8"}},
        {"# \xc0\x80", 4, {"overlong", 4, 3, NULL, "byte 0xc0"}},
        {"# \xe0\x80\x80", 5, {"overlong", 4, 3, NULL, "byte 0xe0"}},
        {"# \xed\xa0\x80", 5, {"surrogate", 4, 3, NULL, "byte 0xed"}},
        {"# \xf4\x90\x80\x80", 6, {"beyond U+10FFFF", 4, 3, NULL, "byte 0xf4"}},
        {"# \xe2\x82", 4, {"cut", 4, 3, NULL, "byte 0xe2"}},
        {"#\r\n#\x1b", 5, {"control character", 5, 2, NULL, "U+001B"}},
        {"#\r#\x7f", 4, {"delete character", 5, 2, NULL, "U+007F"}},
        {"# \xef\xbb\xbf", 5, {"byte order mark in the middle", 4, 3, NULL, "U+FEFF"}},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct err e = ERR_INIT;
        enum status st = parse(HEAD, table[i].text, table[i].n, &e);
        check_error(&table[i].expected, st, &e);
    }
}

static void test_conditions(void **state)
{
    (void)state;
    static const struct bad table[] = {
        {"constraints: params < 1M\n", 4, 14, "constraints", "a list of conditions"},
        {"constraints: [latency < 3]\n", 4, 15, "constraints",
         "\"latency\" is unknown; allowed: all keys of base and train, such as SR and lr; and the costs "
         "params, "},
        {"constraints: [params <= 1M, 'param < 3']\n", 4, 30, "constraints", "did you mean params?"},
        {"constraints: [params & 3]\n", 4, 22, "constraints", "\"&\" means nothing here"},
        {"constraints: [params <= 1 000]\n", 4, 27, "constraints", "\"000\" does not belong here"},
        {"constraints: [params <= 1TB]\n", 4, 25, "constraints", "\"1TB\" is no number"},
        {"constraints: [params <= 5MiB]\n", 4, 25, "constraints",
         "\"5MiB\" is bytes, allowed: 5, 50%, 5K, 5M or 5G"},
        {"constraints: [model_bytes <= 5MiB or so]\n", 4, 38, "constraints", "\"so\" is unknown"},
        {"constraints: [params <=]\n", 4, 24, "constraints", "ends too early"},
        {"constraints: [macs <= 1M, {macs: 1}]\n", 4, 27, "constraints", "a mapping where a condition"},
        {"constraints:\n  - 'bypass == ''simpel'''\n", 5, 16, "constraints",
         "is no value of bypass, did you mean simple?; allowed: none, simple or complex"},
        {"constraints:\n  - params < 1M\n    and SRR < 1\n", 6, 9, "constraints", "did you mean SR?"},
        {"exclude: [SR]\n", 4, 11, "exclude", "\"SR\" alone is no condition"},
    };
    CHECK(HEAD, table);
}

static void test_sections(void **state)
{
    (void)state;
    static const struct bad table[] = {
        {"train: {}\n", 4, 8, "train", "is empty"},
        {"train:\n", 4, 7, "train", "nothing (null) where a mapping is needed"},
        {"train: 3\n", 4, 8, "train", "a single value where a mapping is needed"},
        {"train: {epoch: 3}\n", 4, 9, "train",
         "unknown key \"epoch\", did you mean epochs?; allowed: epochs, batch"},
        {"train: {learning_rate: 3}\n", 4, 9, "train",
         "unknown key \"learning_rate\", did you mean lr?; allowed"},
        {"train: {squeeze: 3}\n", 4, 9, "train", "unknown key \"squeeze\"; allowed"},
        {"sweep: [{id: a, grid: {squeeze: [1]}}]\n", 4, 24, "sweep.a.grid",
         "\"squeeze\", did you mean SR?; allowed"},
        {"base: {Squeeze_Ratio: 1}\n", 4, 8, "base", "\"Squeeze_Ratio\", did you mean SR?; allowed"},
        {"base: {ratio: 1}\n", 4, 8, "base", "\"ratio\", did you mean SR or pct3x3?; allowed"},
        {"base: {sr: 1}\n", 4, 8, "base", "\"sr\", did you mean SR?; allowed"},
        {"base: {kernel: 1}\n", 4, 8, "base", "\"kernel\", did you mean conv1_kernel?; allowed"},
        {"base: {width: 1}\n", 4, 8, "base", "\"width\", did you mean base_e?; allowed"},
        {"train: {lr: 1, bathc: 3}\n", 4, 16, "train", "did you mean batch?"},
        {"train: {SR: 0.5}\n", 4, 9, "train", "unknown key \"SR\", which belongs to base; allowed:"},
        {"train: {LR: 1}\n", 4, 9, "train", "did you mean lr?"},
        {"train: {rl: 1}\n", 4, 9, "train", "did you mean lr?"},
        {"train: {speed: 1}\n", 4, 9, "train", "unknown key \"speed\"; allowed:"},
        {"run: {trial_wall: 1h}\n", 4, 7, "run",
         "unknown key \"trial_wall\", which belongs to budget; allowed:"},
        {"train: {lr: 1, lr: 2}\n", 4, 16, "train.lr", "is given twice, first in line 4"},
        {"train: {epochs: 1.5}\n", 4, 17, "train.epochs",
         "\"1.5\" is not a whole number, allowed: a whole number from 1"},
        {"train: {epochs: 10x}\n", 4, 17, "train.epochs", "\"10x\" is not a whole number"},
        {"train: {epochs: 0x10}\n", 4, 17, "train.epochs", "is not a whole number"},
        {"train: {epochs: 010}\n", 4, 17, "train.epochs", "leading zero"},
        {"train: {epochs: 0}\n", 4, 17, "train.epochs",
         "\"0\" is out of range, allowed: a whole number from 1"},
        {"train: {epochs: -1}\n", 4, 17, "train.epochs", "out of range"},
        {"train: {epochs: 99999999999999999999}\n", 4, 17, "train.epochs", "out of range"},
        {"train: {epochs: '10'}\n", 4, 17, "train.epochs", "because of its quotes"},
        {"train: {epochs: yes}\n", 4, 17, "train.epochs", "\"yes\" is not a whole number"},
        {"train: {epochs: [1]}\n", 4, 17, "train.epochs", "a list where one value is needed"},
        {"train: {epochs: }\n", 4, 17, "train.epochs", "nothing (null)"},
        {"train: {epochs: null}\n", 4, 17, "train.epochs", "nothing (null)"},
        {"train: {lr: .nan}\n", 4, 13, "train.lr", "is not a number, allowed: 0 < lr <= 1000"},
        {"train: {lr: nan}\n", 4, 13, "train.lr", "is not a number"},
        {"train: {lr: inf}\n", 4, 13, "train.lr", "is not a number"},
        {"train: {lr: 1e999}\n", 4, 13, "train.lr", "is not a number"},
        {"train: {lr: 0}\n", 4, 13, "train.lr", "\"0\" is out of range, allowed: 0 < lr <= 1000"},
        {"train: {lr: 0.1 0.2}\n", 4, 13, "train.lr", "\"0.1 0.2\" is not a number"},
        {"train: {momentum: 1}\n", 4, 19, "train.momentum", "allowed: 0 <= momentum < 1"},
        {"train: {nesterov: 1}\n", 4, 19, "train.nesterov", "is not a truth value, allowed: true or false"},
        {"train: {nesterov: 'yes'}\n", 4, 19, "train.nesterov", "because of its quotes"},
        {"train: {optimizer: lamb}\n", 4, 20, "train.optimizer",
         "\"lamb\" is unknown, allowed: sgd, adam or adamw"},
        {"train: {crop_border: wrap}\n", 4, 22, "train.crop_border", "allowed: reflect or zero"},
        {"train: {lanes: 65}\n", 4, 16, "train.lanes", "from 1 to 64"},
        {"budget: {wall: 12x}\n", 4, 16, "budget.wall",
         "\"12x\" is not a duration, allowed: a duration >= 0"},
        {"budget: {wall: -1h}\n", 4, 16, "budget.wall", "is not a duration"},
        {"budget: {max_failed: -1}\n", 4, 22, "budget.max_failed", "out of range"},
        {"run: {workers: 0}\n", 4, 16, "run.workers", "from 1 to 256, or auto"},
        {"run: {threads: all}\n", 4, 16, "run.threads",
         "is not a whole number, allowed: a whole number from 1 to"},
        {"run: {checkpoint: 0}\n", 4, 19, "run.checkpoint", "allowed: a duration > 0"},
        {"seeds: 3\n", 4, 8, "seeds", "a single value where a list of whole numbers"},
        {"seeds: []\n", 4, 8, "seeds", "is empty"},
        {"seeds: [1, 2, -3]\n", 4, 15, "seeds", "\"-3\" is out of range"},
        {"seeds: [1, two]\n", 4, 12, "seeds", "is not a whole number"},
        {"seeds: [5, 4, 7, 4, 5]\n", 4, 18, "seeds", "4 is given twice"},
        {"seeds: [1, [2]]\n", 4, 12, "seeds", "a list where one value is needed"},
        {"run: {keep: best}\n", 4, 13, "run.keep",
         "best needs validation images, allowed: last, all or none without data.val"},
        {"run: {keep: two}\n", 4, 13, "run.keep", "\"two\" is unknown, allowed: last, best, all or none"},
        {"plots: [{block: base}]\n", 4, 9, "plots[0].kind",
         "is missing, allowed: curve, learning, scatter, pareto, edf, heatmap, effects, parallel, "
         "timeline or predicted"},
        {"plots: [{kind: curve}, {kind: bar}]\n", 4, 31, "plots[1].kind", "\"bar\" is unknown"},
        {"plots: [{kind: curve, block: nix}]\n", 4, 30, "plots.curve.block",
         "there is no block nix; allowed: base"},
        {"plots: [{kind: curve, x: 'a b'}]\n", 4, 26, "plots.curve.x", "is not a name"},
    };
    CHECK(HEAD, table);
}

static void test_data(void **state)
{
    (void)state;
    static const struct bad table[] = {
        {"data: {path: d}\n", 3, 7, "data.format",
         "is missing, allowed: idx, cifar10, cifar100 or image-folder"},
        {"data: {format: idx}\n", 3, 7, "data.path", "is missing"},
        {"data: {format: mnist, path: d}\n", 3, 16, "data.format", "\"mnist\" is unknown"},
        {"data: {format: idx, path: ''}\n", 3, 27, "data.path", "is empty"},
        {"data: {format: idx, path: d, val: -5}\n", 3, 35, "data.val",
         "out of range, allowed: a whole number >= 0"},
        {"data: {format: idx, path: d, val_seed: 1e3}\n", 3, 40, "data.val_seed", "is not a whole number"},
        {"data: {format: image-folder, path: d, resize: 32}\n", 3, 47, "data.resize", "\"32\" is not a size"},
        {"data: {format: image-folder, path: d, resize: 32x32x3}\n", 3, 47, "data.resize", "is not a size"},
        {"data: {format: image-folder, path: d, resize: 32x0}\n", 3, 47, "data.resize", "is not a size"},
        {"data: {format: idx, path: d, resize: 32x32}\n", 3, 38, "data.resize",
         "has no effect on format idx"},
        {"data: {format: cifar10, path: d, skip_bad: on}\n", 3, 44, "data.skip_bad", "has no effect"},
        {"data: {format: idx, path: d, memory: stream}\n", 3, 38, "data.memory",
         "cannot be stream with format idx"},
        {"data: {format: image-folder, path: d, memory: disk}\n", 3, 47, "data.memory",
         "allowed: auto, load or stream"},
        {"data: {format: idx, path: d, train_limits: 3}\n", 3, 30, "data", "did you mean train_limit?"},
    };
    CHECK("version: 1\nname: t\n", table);
}

static void test_base(void **state)
{
    (void)state;
    static const struct bad table[] = {
        {"base: {preset: alexnet}\n", 4, 16, "base.preset",
         "allowed: squeezenet-1.0, squeezenet-1.1 or small32"},
        {"base: {SR: 1.5}\n", 4, 12, "base.SR", "\"1.5\" is out of range, allowed: 0 < SR <= 1"},
        {"base: {SR: 0}\n", 4, 12, "base.SR", "out of range"},
        {"base: {sr: 0.5}\n", 4, 8, "base", "did you mean SR?"},
        {"base: {pct3x3: -0.1}\n", 4, 16, "base.pct3x3", "allowed: 0 <= pct3x3 <= 1"},
        {"base: {base_e: 0}\n", 4, 16, "base.base_e", "a whole number from 1"},
        {"base: {bypass: no}\n", 4, 16, "base.bypass", "\"no\" is unknown, allowed: none, simple or complex"},
        {"base: {input: 32x32}\n", 4, 15, "base.input", "is not a shape, allowed: channels x rows x columns"},
        {"base: {input: 3x32x32x}\n", 4, 15, "base.input", "is not a shape"},
        {"base: {input: 3x9999x32}\n", 4, 15, "base.input", "is not a shape"},
        {"base: {input: 3x18446744073709551648x32}\n", 4, 15, "base.input", "is not a shape"}, /* 2^64 + 32 */
        {"base: {pools: [conv1, fire10]}\n", 4, 23, "base.pools",
         "\"fire10\" is no pool place, allowed: conv1 and fire2"},
        {"base: {pools: [conv1, conv1]}\n", 4, 15, "base.pools", "\"conv1,conv1\" is no list of pool places"},
        {"base: {pools: [conv1, [fire4]]}\n", 4, 23, "base.pools", "is no pool place"},
        {"base: {pools: [none]}\n", 4, 16, "base.pools", "\"none\" is no pool place"},
        {"base: {pools: 'conv1,'}\n", 4, 15, "base.pools", "is no list of pool places"},
        {"base: {pool_rounding: up}\n", 4, 23, "base.pool_rounding", "allowed: ceil or floor"},
        {"base: {conv10_pad: 2}\n", 4, 20, "base.conv10_pad", "from 0 to 1"},
        {"base: {fires: [[1, 1, 1]]}\n", 4, 15, "base.fires", "has 1 entries, allowed: 8"},
        {"base: {fires: [[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1]]}\n", 4, 72,
         "base.fires", "a Fire is a list [s1x1, e1x1, e3x3]"},
        {"base: {fires: [[1,1,1],[1,1,x],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1]]}\n", 4, 29,
         "base.fires", "\"x\" is no number of filters"},
        {"base: {fires: [[1,1,1],[0,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1]]}\n", 4, 15,
         "base.fires", "has a Fire without filters"},
        {"base: {fires: [[1,1,1],[1,0,0],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1]]}\n", 4, 15,
         "base.fires", "has a Fire without filters"},
        {"base: {fires: '1/1/1'}\n", 4, 15, "base.fires", "is no list of Fires"},
        {"base: {fires: [[1,1,1],[1,1,-1],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1]]}\n", 4, 29,
         "base.fires", "\"-1\" is no number of filters"},
        {"base: {fires: [[1,1,1],[1,1,65537],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1],[1,1,1]]}\n", 4, 29,
         "base.fires", "from 0 to 65536"},
        {"base: {base_e: 5, fires: '1/1/1,1/1/1,1/1/1,1/1/1,1/1/1,1/1/1,1/1/1,1/1/1'}\n", 4, 8, "base.base_e",
         "has no effect beside `fires`"},
        {"base: {pct3x3: 1, fires: '1/1/1,1/1/1,1/1/1,1/1/1,1/1/1,1/1/1,1/1/1,1/1/1'}\n", 4, 8, "base.pct3x3",
         "has no effect beside `fires`"},
        {"base: {SR: 0.5, fires: '1/1/1,1/1/1,1/1/1,1/1/1,1/1/1,1/1/1,1/1/1,1/1/1'}\n", 4, 8, "base.SR",
         "has no effect beside `fires`"},
        /* Possible values that make no network: found when the block is realised. */
        {"base:\n  preset: squeezenet-1.0\n  input: 3x8x8\n", 6, 10, "base.input", "shrinks to nothing"},
        {"base: {input: 3x8x8, preset: squeezenet-1.0}\n", 4, 15, "base.input", "shrinks to nothing"},
        {"base: {input: 1x8x8}\ntrain: {lr: 1, crop_pad: 8}\n", 5, 26, "train.crop_pad",
         "8 is out of range for images of 8x8, allowed: 0 to 7"},
        {"train: {crop_pad: 28}\n", 4, 19, "train.crop_pad", "28 is out of range for images of 28x28"},
        {"base: {conv1_pad: 1, conv1_kernel: 33}\n", 4, 36, "base.conv1_kernel", "smaller conv1_kernel"},
        {"base: {input: 1x2x2}\n", 4, 15, "base.input", "crop_pad: 4 is out of range for images of 2x2"},
    };
    CHECK(HEAD, table);
}

static void test_blocks(void **state)
{
    (void)state;
    static const struct bad table[] = {
        {"sweep: []\n", 4, 8, "sweep", "is empty, allowed: a list of blocks"},
        {"sweep: {id: a}\n", 4, 8, "sweep", "a mapping where a list of blocks is needed"},
        {"sweep:\n  - 3\n", 5, 5, "sweep[0]", "a single value where a mapping is needed"},
        {"sweep:\n  - {grid: {SR: [1]}}\n", 5, 5, "sweep[0].id", "is missing"},
        {"sweep:\n  - {id: a b}\n", 5, 10, "sweep[0].id", "is not a name"},
        {"sweep:\n  - {id: a}\n  - {id: b}\n  - {id: a}\n", 7, 10, "sweep[2].id",
         "a is also the id of the block in line 5"},
        {"sweep:\n  - id: a\n    gird: {SR: [1]}\n", 6, 5, "sweep.a",
         "did you mean grid?; allowed: id, set, grid, zip, list"},
    };
    CHECK(HEAD, table);
}

static void test_random_blocks(void **state)
{
    (void)state;
    static const struct bad table[] = {
        {"sweep:\n  - {id: a, random: {n: 64, seed: 7}}\n", 5, 5, "sweep.a.params",
         "is missing, allowed: random: {n: 64, seed: 1} with params"},
        {"sweep: [{id: a, random: {count: 5}}]\n", 4, 26, "sweep.a.random",
         "unknown key \"count\"; allowed: n, seed, sampler"},
        {"sweep:\n  - {id: a, params: {SR: [1]}}\n", 5, 5, "sweep.a.random", "is missing"},
        {"sweep:\n  - {id: a, sobol: {n: 64}}\n", 5, 13, "sweep.a.sobol",
         "no such block kind, allowed: random: {n: 64, sampler: sobol}"},
        {"sweep:\n  - {id: a, random: {n: 0}, params: {SR: [1]}}\n", 5, 25, "sweep.a.random.n",
         "from 1 to 1000000"},
        {"sweep:\n  - {id: a, random: {n: 1, sampler: halton}, params: {SR: [1]}}\n", 5, 37,
         "sweep.a.random.sampler", "allowed: random, lhs or sobol"},
        {"sweep:\n  - {id: a, grid: {freq: [1]}, random: {n: 1}, params: {SR: [1]}}\n", 5, 13, "sweep.a.grid",
         "does not go with `random`"},
        {"sweep:\n  - {id: a, set: {SR: 1}, random: {n: 1}, params: {SR: [1]}}\n", 5, 52, "sweep.a.params.SR",
         "is also in `set`"},
        {"sweep:\n  - {id: a, random: {n: 1}, params: {}}\n", 5, 37, "sweep.a.params", "is empty"},
        {"sweep:\n  - {id: a, random: {n: 1}, params: {SR: [0.5, 1], fires: [derived, "
         "'1/1/1,1/1/1,1/1/1,1/1/1,1/1/1,1/1/1,1/1/1,1/1/1']}}\n",
         5, 38, "sweep.a.params.SR", "allowed: with `when: fires == derived`"},
        {"sweep:\n  - {id: a, random: {n: 1}, params: {SR: 1}}\n", 5, 42, "sweep.a.params.SR",
         "a single value"},
        {"sweep:\n  - {id: a, random: {n: 1}, params: {SR: {}}}\n", 5, 42, "sweep.a.params.SR",
         "is empty, allowed: a list of values or a distribution"},
        {"sweep:\n  - {id: a, random: {n: 1}, params: {SR: {step: 0.1}}}\n", 5, 42, "sweep.a.params.SR",
         "has no distribution, allowed: choice, int, uniform or loguniform"},
        {"sweep:\n  - {id: a, random: {n: 1}, params: {SR: {normal: [0, 1]}}}\n", 5, 43, "sweep.a.params.SR",
         "unknown key \"normal\""},
        {"sweep:\n  - {id: a, random: {n: 1}, params: {SR: {choice: [1], uniform: [0.1, 1]}}}\n", 5, 65,
         "sweep.a.params.SR.uniform", "one distribution too many"},
        {"sweep:\n  - {id: a, random: {n: 1}, params: {SR: {uniform: [0, 1]}}}\n", 5, 53, "sweep.a.params.SR",
         "allowed: 0 < SR <= 1"},
        {"sweep:\n  - {id: a, random: {n: 1}, params: {SR: {uniform: [1, 0.5]}}}\n", 5, 56,
         "sweep.a.params.SR.uniform", "ends at 0.5, below its beginning 1"},
        {"sweep:\n  - {id: a, random: {n: 1}, params: {SR: {uniform: [1]}}}\n", 5, 52,
         "sweep.a.params.SR.uniform", "takes two numbers, such as [0.1, 0.9]"},
        {"sweep:\n  - {id: a, random: {n: 1}, params: {SR: {int: [1, 1]}}}\n", 5, 48, "sweep.a.params.SR.int",
         "allowed: uniform, loguniform or choice"},
        {"sweep:\n  - {id: a, random: {n: 1}, params: {freq: {uniform: [1, 2]}}}\n", 5, 54,
         "sweep.a.params.freq.uniform", "allowed: int, loguniform or choice"},
        {"sweep:\n  - {id: a, random: {n: 1}, params: {bypass: {int: [1, 2]}}}\n", 5, 52,
         "sweep.a.params.bypass.int", "allowed: choice"},
        {"sweep:\n  - {id: a, random: {n: 1}, params: {incr_e: {loguniform: [0, 2]}}}\n", 5, 60,
         "sweep.a.params.incr_e.loguniform", "whose logarithm exists"},
        {"sweep:\n  - {id: a, random: {n: 1}, params: {freq: {int: [1, 4], step: 1.5}}}\n", 5, 64,
         "sweep.a.params.freq.step", "1.5 is not a whole number"},
        {"sweep:\n  - {id: a, random: {n: 1}, params: {freq: {choice: [1], step: 1}}}\n", 5, 64,
         "sweep.a.params.freq.step", "has no effect on choice"},
        {"sweep:\n  - {id: a, random: {n: 1}, params: {SR: {uniform: [0.1, 1], step: 2}}}\n", 5, 68,
         "sweep.a.params.SR.step", "is wider than the interval from "},
        {"sweep:\n  - {id: a, random: {n: 1}, params: {freq: {int: [2, 2], step: 1}}}\n", 5, 64,
         "sweep.a.params.freq.step", "has no effect: from 2 to 2 there is one value, allowed: no step"},
        {"sweep:\n  - {id: a, random: {n: 1}, params: {SR: {uniform: [0.1, 1], when: 'lr < 3'}}}\n", 5, 68,
         "sweep.a.params.SR.when", "speaks of no key that this block draws"},
        {"sweep:\n  - {id: a, random: {n: 1}, params: {SR: {uniform: [0.1, 1], when: 'params < 3'}}}\n", 5,
         69, "sweep.a.params.SR.when", "\"params\" is unknown"},
        {"sweep:\n  - {id: a, random: {n: 1}, params: {SR: {uniform: [0.1, 1], when: 'SR < 1'}}}\n", 5, 68,
         "sweep.a.params.SR.when", "waits for SR, which is the key itself"},
        {"sweep:\n  - {id: a, exclude: [freq > ]}\n", 5, 29, "sweep.a.exclude", "ends too early"},
    };
    CHECK(HEAD, table);
}

static void test_axes(void **state)
{
    (void)state;
    static const struct bad table[] = {
        {"sweep:\n  - {id: a, grid: {}}\n", 5, 19, "sweep.a.grid", "is empty"},
        {"sweep:\n  - {id: a, grid: {SR: []}}\n", 5, 24, "sweep.a.grid.SR",
         "is empty, allowed: a list of values or a range"},
        {"sweep:\n  - {id: a, grid: {SR: 0.5}}\n", 5, 24, "sweep.a.grid.SR", "a single value where a list"},
        {"sweep:\n  - {id: a, grid: {SR: [0.5, 1.5]}}\n", 5, 30, "sweep.a.grid.SR",
         "\"1.5\" is out of range"},
        {"sweep:\n  - {id: a, grid: {SR: [0.5, '0.7']}}\n", 5, 30, "sweep.a.grid.SR", "quotes"},
        {"sweep:\n  - {id: a, grid: {SR: [0.5, ~]}}\n", 5, 30, "sweep.a.grid.SR", "nothing (null)"},
        {"sweep:\n  - {id: a, grid: {val: [1, 2]}}\n", 5, 20, "sweep.a.grid", "unknown key \"val\""},
        {"sweep:\n  - {id: a, grid: {SR: [1], SR: [0.5]}}\n", 5, 29, "sweep.a.grid.SR", "is given twice"},
        {"sweep:\n  - {id: a, set: {SR: 0.5}, grid: {SR: [1]}}\n", 5, 36, "sweep.a.grid.SR",
         "is also in `set`"},
        {"sweep:\n  - {id: a, zip: {SR: [1]}, grid: {SR: [1]}}\n", 5, 19, "sweep.a.zip.SR",
         "is also in `grid`"},
        {"sweep:\n  - {id: a, set: {SR: 1}, list: [{freq: 1}, {SR: 1}]}\n", 5, 46, "sweep.a.list.SR",
         "is also in `set`"},
        {"sweep:\n  - {id: a, set: {SR: [1]}}\n", 5, 23, "sweep.a.set.SR",
         "a list where one value is needed"},
        {"sweep:\n  - {id: a, zip: {base_e: [1, 2], incr_e: [1, 2, 3]}}\n", 5, 35, "sweep.a.zip.incr_e",
         "has 3 values but base_e has 2"},
        {"sweep:\n  - {id: a, list: []}\n", 5, 19, "sweep.a.list", "is empty"},
        {"sweep:\n  - {id: a, list: {SR: 1}}\n", 5, 19, "sweep.a.list", "a mapping where a list of mappings"},
        {"sweep:\n  - {id: a, list: [{SR: 1}, {}]}\n", 5, 29, "sweep.a.list", "is empty"},
    };
    CHECK(HEAD, table);
}

static void test_axis_values_and_ranges(void **state)
{
    (void)state;
    static const struct bad table[] = {
        {"sweep:\n  - {id: a, grid: {pools: [[conv1], [fire1]]}}\n", 5, 38, "sweep.a.grid.pools",
         "\"fire1\" is no pool"},
        {"sweep:\n  - {id: a, grid: {SR: {from: 0.1, to: 0.5}}}\n", 5, 24, "sweep.a.grid.SR.step",
         "is missing"},
        {"sweep:\n  - {id: a, grid: {SR: {from: 0.1, to: 0.5, by: 1}}}\n", 5, 45, "sweep.a.grid.SR",
         "allowed: from, to, step"},
        {"sweep:\n  - {id: a, grid: {SR: {from: 0.1, to: 0.5, step: -0.1}}}\n", 5, 51, "sweep.a.grid.SR.step",
         "-0.1 leads away from `to`: from 0.1 to 0.5, allowed: a number above 0"},
        {"sweep:\n  - {id: a, grid: {SR: {from: 0.1, to: 0.5, step: 0}}}\n", 5, 51, "sweep.a.grid.SR.step",
         "is 0, allowed: a number above 0"},
        {"sweep:\n  - {id: a, grid: {SR: {from: 0.1, to: 1, step: x}}}\n", 5, 49, "sweep.a.grid.SR.step",
         "\"x\" is not a number"},
        {"sweep:\n  - {id: a, grid: {epochs: {from: 1, to: 100001, step: 1}}}\n", 5, 56,
         "sweep.a.grid.epochs.step", "at most 100000 are allowed"},
        {"sweep:\n  - {id: a, grid: {lr: {from: -1e300, to: 1e300, step: 1e-300}}}\n", 5, 56,
         "sweep.a.grid.lr.step", "at most 100000"},
        {"sweep:\n  - {id: a, grid: {SR: {from: 0, to: 1, step: 0.5}}}\n", 5, 24, "sweep.a.grid.SR",
         "\"0\" is out of range"},
        {"sweep:\n  - {id: a, grid: {epochs: {from: 1, to: 2, step: 0.5}}}\n", 5, 28, "sweep.a.grid.epochs",
         "\"1.5\" is not a whole number"},
        {"sweep:\n  - {id: a, grid: {bypass: {from: 0, to: 1, step: 1}}}\n", 5, 28, "sweep.a.grid.bypass",
         "a range needs a key that takes numbers"},
        {"sweep:\n  - {id: ok}\n  - {id: big, grid: {epochs: {from: 1, to: 1000, step: 1}, batch: {from: 1, "
         "to: 1000, "
         "step: 1}}}\n",
         6, 5, "sweep", "with block big there are more than 1000000 trials"},
        {"sweep:\n  - {id: a, set: {fires: '1/1/1,1/1/1,1/1/1,1/1/1,1/1/1,1/1/1,1/1/1,1/1/1'}, grid: {SR: "
         "[0.25]}}\n",
         5, 85, "sweep.a.grid.SR", "has no effect beside explicit `fires`"},
        {"sweep:\n  - {id: fine}\n  - {id: broken, grid: {base_e: [128], incr_e: [128, 65536]}}\n", 6, 54,
         "sweep.broken.grid.incr_e",
         "base_e 128, incr_e 65536, freq 2: fire9 would have 196736 expand filters, allowed are at most "
         "65536 (at "
         "the point {\"base_e\":128,\"incr_e\":65536})"},
    };
    CHECK(HEAD, table);
}

/* What only shows in the network that is built stands at the value with which it cannot be built. */
static void test_places_of_what_cannot_be_built(void **state)
{
    (void)state;
    static const struct bad table[] = {
        {"sweep:\n  - {id: a, grid: {crop_pad: [4, 40]}}\n", 5, 34, "sweep.a.grid.crop_pad",
         "40 is out of range for images of 28x28, allowed: 0 to 27"},
        {"sweep:\n  - {id: a, grid: {SR: [0.5, 1], crop_pad: [4, 40], lr: [1, 2]}}\n", 5, 48,
         "sweep.a.grid.crop_pad", "(at the point {\"SR\":0.5,\"crop_pad\":40,\"lr\":1})"},
        {"sweep:\n  - id: a\n    grid:\n      conv1_kernel: [3, 31]\n", 7, 25, "sweep.a.grid.conv1_kernel",
         "conv1: the map shrinks to nothing, its input is 28 x 28; use"},
        {"sweep:\n  - {id: a, grid: {crop_pad: {from: 8, to: 40, step: 8}}}\n", 5, 30,
         "sweep.a.grid.crop_pad", "32 is out of range"},
        {"sweep:\n  - {id: a, zip: {crop_pad: [1, 1], input: [1x28x28, 1x1x1]}}\n", 5, 54,
         "sweep.a.zip.input", "crop_pad: 1 is out of range for images of 1x1"},
        {"sweep:\n  - id: a\n    list:\n      - {SR: 0.5}\n      - {pools: [conv1, fire2, fire3, fire4, "
         "fire5, "
         "fire6], SR: 0.3}\n",
         8, 17, "sweep.a.list.pools", "fewer pools"},
        {"sweep:\n  - {id: a, set: {lr: 1, crop_pad: 30}, grid: {SR: [0.5, 1]}}\n", 5, 36,
         "sweep.a.set.crop_pad", "30 is out of range for images of 28x28, allowed: 0 to 27"},
        {"sweep:\n  - {id: a, random: {n: 2}, params: {crop_pad: {int: [30, 40]}}}\n", 5, 54,
         "sweep.a.params.crop_pad",
         "is out of range for images of 28x28, allowed: 0 to 27 (at the point {\"crop_pad\":3"},
        {"sweep:\n  - {id: a, random: {n: 2}, params: {SR: [0.5], crop_pad: [30]}}\n", 5, 60,
         "sweep.a.params.crop_pad", "; none of 10000 candidates of block a can be built"},
        {"sweep:\n  - {id: a, random: {n: 2}, params: {SR: [0.5]}}\ntrain: {crop_pad: 30}\n", 6, 19,
         "train.crop_pad", "30 is out of range"},
    };
    CHECK(HEAD, table);
    static const struct bad folder[] = {
        {"version: 1\nname: t\ndata: {format: image-folder, path: d, resize: 3x3}\n", 3, 47, "data.resize",
         "crop_pad: 4 is out of range for images of 3x3"},
    };
    CHECK("", folder);
}

/* Mistakes of every kind that once were answered in a puzzling way. */
static void test_answers_help(void **state)
{
    (void)state;
#define RANDOM(params) "sweep: [{id: a, random: {n: 2}, params: {" params "}}]\n"
    static const struct bad table[] = {
        {"base: &b {SR: 0.5}\nsweep: [{id: a, set: {<<: *b}}]\n", 5, 23, "sweep.a.set",
         "unknown key \"<<\" (there are no merge keys; an alias stands for a whole value); allowed: preset"},
        {RANDOM("SR: {uniform: [0.1, 1], when: SR > 0.1}"), 4, 72, "sweep.a.params.SR.when",
         "waits for SR, which is the key itself, allowed: conditions on keys that can be drawn before"},
        {RANDOM("SR: {uniform: [0.1, 1], when: lr > 0.1}, lr: {uniform: [0.1, 1], when: SR > 0.2}"), 4, 72,
         "sweep.a.params.SR.when", "waits for lr, which waits for this one in turn, allowed: "},
        {RANDOM("SR: {uniform: [0.1, 1], when: params > 9}, lr: [1]"), 4, 72, "sweep.a.params.SR.when",
         "(a cost is not known before all keys are drawn)"},
        {RANDOM("SR: 0.5"), 4, 46, "sweep.a.params.SR",
         "where a list of values or a distribution such as {uniform: [0.1, 0.9]} is needed"},
        {RANDOM(""), 4, 41, "sweep.a.params", "is empty, allowed: a mapping of preset, base_e"},
        {"train: {}\n", 4, 8, "train", "is empty, allowed: a mapping of epochs, batch"},
        {"seeds: [1, 2, 1]\n", 4, 15, "seeds", "1 is given twice, allowed: each seed once"},
        {"base: {input: 1x5000x20}\n", 4, 15, "base.input", "at most 256x4096x4096"},
        {"sweep: [{id: a, grid: {conv1_stride: [1, 33]}}]\n", 4, 42, "sweep.a.grid.conv1_stride",
         "a smaller conv1_stride"},
    };
    CHECK(HEAD, table);
}

/* Many copies of a text between two others. */
static char *repeated(const char *before, const char *text, int count, const char *after)
{
    struct strbuf out = STRBUF_INIT;
    strbuf_puts(&out, before);
    for (int i = 0; i < count; i++)
        strbuf_puts(&out, text);
    strbuf_puts(&out, after);
    assert_false(out.failed);
    return out.text;
}

static void check_one(char *text, int line, int column, const char *key, const char *fragment)
{
    struct err e = ERR_INIT;
    enum status st = parse("", text, strlen(text), &e);
    mem_free(text);
    check_error(&(struct bad){"(generated)", line, column, key, fragment}, st, &e);
}

static void test_limits(void **state)
{
    (void)state;
    /* The root mapping is the first level, so the 100th bracket is one too many: column 4 + 99. */
    check_one(repeated("x: ", "[", 100, ""), 1, 103, NULL, "at most 100 levels");
    check_one(repeated("x: ", "[", 2000, ""), 1, 103, NULL, "at most 100 levels");
    check_one(repeated("x: ", "[", 50000, ""), 1, 103, NULL, "at most 100 levels");
    check_one(repeated("", "#", SPEC_MAX_BYTES + 1, ""), 1, 1, NULL, "too large, at most 1048576 bytes");
    check_one(repeated("x: [", "&a 1,\n", 1001, "]"), 1001, 1, NULL, "too many anchors");
    /* Nine levels of ten aliases each: a mapping of 10^9 values. The list at `a` weighs 10 + 1, `b` 10 * 11 +
     * 1 and so on: the aliases up to those of d stand for 110 + 1110 + 11110 values, each alias in e for
     * 11111, so with the eighth 101218 values are too many. */
    check_one(repeated("a: &a [1,1,1,1,1,1,1,1,1,1]\n"
                       "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                       "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                       "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                       "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n",
                       "", 0, ""),
              5, 29, NULL, "at most 100000 values");
    check_one(repeated(HEAD "sweep: [", "{id: a},", 1001, "]"), 4, 8, "sweep", "at most 1000");
    check_one(repeated(HEAD "plots: [", "{kind: curve},", 1001, "]"), 4, 8, "plots", "at most 1000");
}

/* A small file must not make millions of values out of aliases to one range. */
static void test_range_bomb(void **state)
{
    (void)state;
    struct strbuf text = STRBUF_INIT;
    strbuf_puts(&text, HEAD "sweep:\n  - {id: b0, grid: {epochs: &r {from: 1, to: 100000, step: 1}}}\n");
    for (int i = 1; i < 20; i++)
        strbuf_printf(&text, "  - {id: b%d, grid: {epochs: *r}}\n", i);
    check_one(text.text, 5, 60, "sweep.b10.grid.epochs.step", "more than 1000000 values");
}

static void test_names(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    char *fits = repeated("version: 1\nname: ", "n", 100, "\ndata: {format: idx, path: d}\n");
    assert_int_equal(parse("", fits, strlen(fits), &e), ST_OK);
    mem_free(fits);
    check_one(repeated("version: 1\nname: ", "n", 101, "\ndata: {format: idx, path: d}\n"), 2, 7, "name",
              "is not a name, allowed: 1 to 100 letters");
}

static void test_long_texts_are_cut(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    char *text = repeated(HEAD "x", "\xc3\xa9", 400, ": 1\n");
    assert_int_equal(parse("", text, strlen(text), &e), ST_USAGE);
    mem_free(text);
    assert_non_null(strstr(e.text, "\xc3\xa9...\"; allowed: version")); /* no half character */
    assert_non_null(strstr(e.text, "t.yaml:4:"));
}

static void test_load(void **state)
{
    (void)state;
    struct spec spec;
    struct err e = ERR_INIT;
    assert_int_equal(spec_load("/nonexistent/x.yaml", &spec, &e), ST_FAILED);
    assert_non_null(strstr(e.text, "/nonexistent/x.yaml"));
    spec_release(&spec);
    assert_int_equal(spec_load("/dev/zero", &spec, &e), ST_USAGE);
    assert_non_null(strstr(e.text, "/dev/zero:1:1: too large"));
    spec_release(&spec);
    assert_int_equal(mem_live(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_syntax),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_sections),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_data),
        cmocka_unit_test(test_base),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_random_blocks),
        cmocka_unit_test(test_axes),
        cmocka_unit_test(test_axis_values_and_ranges),
        cmocka_unit_test(test_places_of_what_cannot_be_built),
        cmocka_unit_test(test_answers_help),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_range_bomb),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_long_texts_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
