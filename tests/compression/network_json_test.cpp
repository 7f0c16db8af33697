// A network rebuilt from its JSON has the same nodes, chains and state, and the JSON is checked.
#include "compression/network_json.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "compression/attach.h"
#include "framework/base/error.h"
#include "tests/compression/random_network.h"

namespace pare {
namespace {

// Names and sizes of everything that has state.
class Names final : public StateVisitor {
 public:
  void tensor(const std::string& name, Tensor& value) override {
    found.push_back(name + value.shape().to_string());
  }
  void bytes(const std::string& name, std::vector<std::uint8_t>&) override {
    found.push_back(name);
  }
  void integer(const std::string& name, std::int64_t&) override { found.push_back(name); }
  void real(const std::string& name, double&) override { found.push_back(name); }
  std::vector<std::string> found;
};

std::vector<std::string> state_names(const Network& network) {
  Names names;
  network.visit_state(names);
  return names.found;
}

nlohmann::ordered_json pruned_and_quantized() {
  Drawn drawn;
  for (std::uint64_t seed = 1;; ++seed) {
    RandomNetwork random = random_network(seed, drawn);
    const nlohmann::ordered_json json = describe_network(random.network);
    for (const auto& chain : json["chains"]) {
      if (chain.size() == 2) return json;
    }
  }
}

std::string message(const nlohmann::ordered_json& json) {
  try {
    rebuild_network(json);
  } catch (const Error& error) {
    return error.what();
  } catch (const nlohmann::json::exception& error) {
    return error.what();
  }
  return "(accepted)";
}

TEST_CASE("every random network comes back from its JSON, with all that is attached") {
  Drawn drawn;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    const RandomNetwork random = random_network(seed, drawn);
    const nlohmann::ordered_json json = describe_network(random.network);
    const Network rebuilt = rebuild_network(nlohmann::ordered_json::parse(json.dump()));
    CHECK(describe_network(rebuilt) == json);
    CHECK(state_names(rebuilt) == state_names(random.network));
  }
  CHECK(drawn["avg_pool2d"] > 0);
}

TEST_CASE("a network is built no further than its caller allows") {
  const nlohmann::ordered_json json = pruned_and_quantized();
  std::size_t built = 0;
  const auto stop = [&](const Network& network) {
    built = network.nodes().size();
    if (built == 2) throw DataError("enough");
  };
  CHECK_THROWS_AS(rebuild_network(json, stop), DataError);
  CHECK(built == 2);
}

TEST_CASE("JSON that describes no network is refused with a reason") {
  const nlohmann::ordered_json good = pruned_and_quantized();
  REQUIRE(message(good) == "(accepted)");
  const auto with = [&](const auto& change) {
    nlohmann::ordered_json json = good;
    change(json);
    return message(json);
  };
  const std::string first = good["chains"].begin().key();
  CHECK(with([](auto& j) {
          j["input"] = {65536, 65536, 1};
        }).find("shape of one image") != std::string::npos);
  CHECK(with([](auto& j) { j["input"] = {0}; }).find("shape of one image") != std::string::npos);
  CHECK(with([](auto& j) {
          j["shapes"].begin().value() = {7, 7, 7};
        }).find("expected the shape") != std::string::npos);
  CHECK(with([](auto& j) { j["chains"]["nobody.weight"] = nlohmann::ordered_json::array(); }) ==
        "network: a chain of a parameter that is not there");
  CHECK(with([&](auto& j) {
          j["chains"][first].push_back(j["chains"][first][0]);
        }).find("unknown or there twice") != std::string::npos);
  CHECK(with([&](auto& j) {
          j["chains"][first][0]["kind"] = "x";
        }).find("unknown or there twice") != std::string::npos);
  CHECK(with([&](auto& j) { j["chains"][first][0]["novel"] = 1; }).find("novel") !=
        std::string::npos);
  CHECK(with([](auto& j) { j.erase("nodes"); }).find("nodes") != std::string::npos);
}

}  // namespace
}  // namespace pare
