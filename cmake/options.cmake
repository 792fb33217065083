# Compiler flags shared by every target: one interface target, never global flags.
add_library(firesweep_options INTERFACE)
target_compile_options(firesweep_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef
  $<$<BOOL:${FIRESWEEP_WERROR}>:-Werror>
  -fno-math-errno)
if(FIRESWEEP_SANITIZE)
  target_compile_options(firesweep_options INTERFACE
    -fsanitize=${FIRESWEEP_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(firesweep_options INTERFACE -fsanitize=${FIRESWEEP_SANITIZE})
endif()
target_compile_definitions(firesweep_options INTERFACE _GNU_SOURCE)
