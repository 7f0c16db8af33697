// Writes docs/config.md and docs/config.schema.json anew, from the structs that read configs. Run
// by `cmake --build ... --target config_reference` after a key was added or described anew.
#include <string>

#include "apps/lib/config_reference.h"
#include "framework/base/file.h"

int main() {
  const std::string docs = PARE_SOURCE_DIR "/docs/";
  pare::write_file_atomically(docs + "config.md", pare::config_reference());
  pare::write_file_atomically(docs + "config.schema.json", pare::config_schema());
}
