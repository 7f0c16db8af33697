#include "framework/base/error.h"

namespace pare {

void broken_contract(const char* condition, const char* file, int line) {
  throw std::logic_error(std::string("internal error: ") + condition + " does not hold (" + file +
                         ":" + std::to_string(line) + "); please report this");
}

}  // namespace pare
