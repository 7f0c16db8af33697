#include "framework/config/parse_json.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "framework/base/error.h"
#include "framework/config/value.h"

namespace pare::config {
namespace {

// A config, as deep as one may be, within a checkpoint's document.
constexpr std::size_t kMostLevels = 2 * kDeepest + 8;
// An object keeps its keys in a list, in the order of the file: each new one is compared with all
// before it.
constexpr std::uint64_t kMostComparisons = std::uint64_t{1} << 28;

// Follows the parser and stops it.
class Bounds {
 public:
  explicit Bounds(const std::string& what) : what_(what) {}

  bool operator()(int depth, Json::parse_event_t event, const Json&) {
    const auto level = static_cast<std::size_t>(depth);
    if (event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start) {
      if (level >= kMostLevels)
        throw DataError(what_ + ": its JSON has more than " + std::to_string(kMostLevels) +
                        " levels");
      keys_.resize(level + 2, 0);
      keys_[level + 1] = 0;
    } else if (event == Json::parse_event_t::key) {
      keys_.resize(std::max(keys_.size(), level + 1), 0);
      comparisons_ += keys_[level]++;
      if (comparisons_ > kMostComparisons)
        throw DataError(what_ + ": an object of its JSON has too many keys");
    }
    return true;
  }

 private:
  const std::string& what_;
  std::vector<std::uint64_t> keys_;  // of the object at each level
  std::uint64_t comparisons_ = 0;
};

}  // namespace

Json parse_json(std::string_view text, const std::string& what) {
  try {
    Bounds bounds(what);
    return Json::parse(text, [&](int depth, Json::parse_event_t event, const Json& parsed) {
      return bounds(depth, event, parsed);
    });
  } catch (const Json::exception&) {
    throw DataError(what + ": is no JSON: it is damaged");
  }
}

}  // namespace pare::config
