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

// Goes through a text before it is parsed. (The parser's own callback would make lists quadratic.)
class Bounds final : public nlohmann::json_sax<Json> {
 public:
  explicit Bounds(const std::string& what) : what_(what) {}

  bool start_object(std::size_t) override { return open(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t&) override {
    comparisons_ += keys_.back()++;
    if (comparisons_ > kMostComparisons)
      throw DataError(what_ + ": an object of its JSON has too many keys");
    return true;
  }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
    throw DataError(what_ + ": is no JSON: it is damaged");
  }

 private:
  bool open() {
    if (keys_.size() >= kMostLevels) {
      throw DataError(what_ + ": its JSON has more than " + std::to_string(kMostLevels) +
                      " levels");
    }
    keys_.push_back(0);
    return true;
  }
  bool close() {
    keys_.pop_back();
    return true;
  }

  const std::string& what_;
  std::vector<std::uint64_t> keys_;  // of the object at each level
  std::uint64_t comparisons_ = 0;
};

}  // namespace

Json parse_json(std::string_view text, const std::string& what) {
  Bounds bounds(what);
  Json::sax_parse(text, &bounds);
  return Json::parse(text);
}

}  // namespace pare::config
