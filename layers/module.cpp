#include "layers/module.h"

#include <nlohmann/json.hpp>

namespace pare {

nlohmann::ordered_json Module::to_json() const { return nlohmann::ordered_json::object(); }

}  // namespace pare
