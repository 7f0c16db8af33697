// The field kinds of Object that are no templates.
#include "framework/config/object.h"

namespace pare::config {

void Object::choice(std::string_view key, std::string& x, std::vector<std::string> names,
                    std::string_view doc) {
  if (x.empty()) require(key);
  field(key, x, config::choice(std::move(names)), doc);
}

}  // namespace pare::config
