# Writes the gnuplot templates as C: cmake -DOUTPUT=file.c "-DTEMPLATES=a.gp|b.gp" -P embed_templates.cmake
#
# The program then needs no file beside it. Bytes as numbers: no quoting to get wrong.
string(REPLACE "|" ";" TEMPLATES "${TEMPLATES}")
set(arrays "")
set(entries "")
foreach(template IN LISTS TEMPLATES)
  get_filename_component(name ${template} NAME_WE)
  file(READ ${template} bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(APPEND arrays "static const unsigned char template_${name}[] = {${bytes}0};\n")
  string(APPEND entries "    {\"${name}\", template_${name}},\n")
endforeach()
file(WRITE ${OUTPUT} "/* Generated from plots/ by cmake/embed_templates.cmake. */
#include \"report/templates.h\"

#include <string.h>

${arrays}
static const struct {
    const char *name;
    const unsigned char *text;
} templates[] = {
${entries}};

const char *template_builtin(const char *name)
{
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++)
        if (strcmp(templates[i].name, name) == 0)
            return (const char *)templates[i].text;
    return NULL;
}
")
