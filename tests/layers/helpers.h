// Shared by the tests of layers: small tensors, comparisons, and the message of an expected error.
#pragma once

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "framework/base/error.h"
#include "framework/config/config.h"
#include "layers/model_config.h"

namespace pare::testing {

inline Tensor tensor(const Shape& shape, std::initializer_list<float> values) {
  return Tensor::from(shape, std::vector<float>(values));
}

inline void set(Parameter& parameter, std::initializer_list<float> values) {
  REQUIRE(static_cast<std::size_t>(parameter.shape().size()) == values.size());
  std::copy(values.begin(), values.end(), parameter.latent().mutable_data());
}

inline void check_close(const Tensor& actual, std::initializer_list<double> expected) {
  REQUIRE(static_cast<std::size_t>(actual.size()) == expected.size());
  std::size_t i = 0;
  for (const double value : expected) {
    INFO("element ", i);
    CHECK(static_cast<double>(actual.values()[i++]) == doctest::Approx(value).epsilon(1e-5));
  }
}

// What a ConfigError says; "" where none is thrown.
template <class Body>
std::string message(const Body& body) {
  try {
    body();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

// The value of `model` in {"model": ...}, read from a file called x.json.
struct OnlyModel {
  ModelConfig model;
  void describe(config::Object& o) { o.field("model", model, model_type(), "the network"); }
};

inline ModelConfig read_model(const std::string& json) {
  return config::read<OnlyModel>(config::load_text("{\"model\": " + json + "}", "x.json")).model;
}

inline Pass evaluating() { return Pass::begin(Pass::Mode::evaluate, 1, 0); }
inline Pass training(std::uint64_t step = 0) { return Pass::begin(Pass::Mode::train, 1, step); }

}  // namespace pare::testing
