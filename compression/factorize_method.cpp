#include "compression/factorize_method.h"

#include <fmt/format.h>

#include <algorithm>

#include "compression/attach.h"
#include "compression/factorize/low_rank.h"
#include "framework/base/error.h"
#include "framework/config/config.h"
#include "framework/config/object.h"
#include "layers/conv2d.h"
#include "layers/dense.h"

namespace pare {
namespace {

using Chain = std::vector<Network::NamedModule>;

config::Type<FactorizeConfig::Rank> rank_type() {
  using Rank = FactorizeConfig::Rank;
  const config::Type<std::int64_t> one = config::integer<std::int64_t>({.min = 1});
  const config::Type<std::vector<std::int64_t>> two = config::list(one);
  return {.read =
              [=](const config::Node& node, Rank& x) {
                std::vector<std::int64_t> both(1);
                node.is_number() ? one.read(node, both[0]) : two.read(node, both);
                if (both.size() > 2 || both.empty()) node.expected("a rank, or [out, in]");
                x = {both.front(), both.back()};
              },
          .write =
              [](const Rank& x) {
                return x.out == x.in ? config::Json(x.out) : config::Json{x.out, x.in};
              },
          .name = "integer or [out, in]",
          .allowed = "at least 1",
          .schema =
              [=] {
                return config::Json{{"anyOf", config::Json::array({one.schema(), two.schema()})}};
              }};
}

// What a node is made of, whichever of the two kinds it is.
struct Layer {
  const Dense* dense;
  const Conv2d* conv;
  Weighted* weighted;
  std::string name;
};

bool can_be(FactorizeConfig::Kind kind, const Layer& layer) {
  const bool conv = layer.conv && layer.conv->groups() == 1;
  return kind == FactorizeConfig::Kind::svd ? conv || layer.dense : conv;
}

// The layers that the method names; where it names none, all that it can factorize.
std::vector<Layer> chosen(const Network& network, const FactorizeConfig& config) {
  const std::vector<Parameter*> weights =
      select_weights(network, {config.include, config.exclude});
  std::vector<Layer> layers;
  for (const NetworkNode& node : network.nodes()) {
    auto* weighted = dynamic_cast<Weighted*>(node.module.get());
    if (!weighted || std::find(weights.begin(), weights.end(), &weighted->weight()) == weights.end())
      continue;
    const Layer layer{dynamic_cast<Dense*>(weighted), dynamic_cast<Conv2d*>(weighted), weighted,
                      node.name};
    if (can_be(config.method, layer)) {
      layers.push_back(layer);
    } else if (!config.include.empty()) {
      throw ConfigError(fmt::format(
          "include: '{}' is a {}; expected {}", node.name, node.module->kind(),
          config.method == FactorizeConfig::Kind::svd
              ? "dense nodes and convolutions without groups"
              : "convolutions without groups (svd factorizes dense nodes)"));
    }
  }
  return layers;
}

void require_plain(const Network& network, const std::vector<Layer>& layers) {
  constexpr const char* kAdvice =
      "apply factorize in an earlier phase, or further to the front of 'apply'";
  if (has_activation_quantizers(network)) {
    throw ConfigError(
        std::string("the network's activations are quantized already, and new edges would have no "
                    "grids; ") +
        kAdvice);
  }
  for (const Layer& layer : layers) {
    const auto& chain = layer.weighted->weight().chain();
    if (chain.empty()) continue;
    throw ConfigError(fmt::format("'{}' has a {} already, which its factors would not have; {}",
                                  layer.weighted->weight().path(), chain.front()->kind(), kAdvice));
  }
}

void require_rank(const char* what, std::int64_t rank, std::int64_t most, const Layer& layer) {
  if (rank <= most) return;
  throw ConfigError(fmt::format("rank: expected at most {} for '{}' ({}), got {}; or exclude it",
                                most, layer.weighted->weight().path(), what, rank));
}

void set(Tensor& to, const Tensor& from) {
  PARE_ENSURE(to.shape() == from.shape());
  std::copy_n(from.data(), from.size(), to.mutable_data());
}

// The nodes of a chain, to be filled once they stand in the network.
struct Plan {
  Chain nodes;
  std::vector<Tensor> weights;  // of the nodes, in order
};

std::unique_ptr<Module> dense_of(std::int64_t units, bool bias) {
  DenseOptions options;
  options.units = units;
  options.bias = bias;
  return std::make_unique<Dense>(options);
}

std::unique_ptr<Module> pointwise(std::int64_t filters, bool bias) {
  Conv2dOptions options;
  options.filters = filters;
  options.bias = bias;
  return std::make_unique<Conv2d>(options);
}

// The convolution itself with other filters, without a bias.
std::unique_ptr<Module> narrower(const Conv2d& conv, std::int64_t filters) {
  Conv2dOptions options = conv.options();
  options.filters = filters;
  options.bias = false;
  return std::make_unique<Conv2d>(options);
}

Plan by_svd(const Layer& layer, const RankChoice& choice) {
  TwoFactors factors = truncated_svd(layer.weighted->weight().latent(), choice);
  const std::int64_t rank = factors.first.shape()[0], out = factors.second.shape()[0];
  const bool bias = layer.weighted->bias() != nullptr;
  Plan plan;
  if (layer.dense) {
    plan.nodes.emplace_back(layer.name + "_in", dense_of(rank, false));
    plan.nodes.emplace_back(layer.name + "_out", dense_of(out, bias));
  } else {
    plan.nodes.emplace_back(layer.name + "_in", narrower(*layer.conv, rank));
    plan.nodes.emplace_back(layer.name + "_out", pointwise(out, bias));
  }
  plan.weights = {std::move(factors.first), std::move(factors.second)};
  return plan;
}

Plan by_tucker2(const Layer& layer, const RankChoice& out, const RankChoice& in) {
  ThreeFactors factors = tucker2(layer.weighted->weight().latent(), out, in);
  const bool bias = layer.weighted->bias() != nullptr;
  Plan plan;
  plan.nodes.emplace_back(layer.name + "_in", pointwise(factors.input.shape()[0], false));
  plan.nodes.emplace_back(layer.name + "_core", narrower(*layer.conv, factors.core.shape()[0]));
  plan.nodes.emplace_back(layer.name + "_out", pointwise(factors.output.shape()[0], bias));
  plan.weights = {std::move(factors.input), std::move(factors.core), std::move(factors.output)};
  return plan;
}

Plan plan_of(const Layer& layer, const FactorizeConfig& config) {
  const Shape& shape = layer.weighted->weight().shape();
  RankChoice out{.rank = {}, .energy = config.energy.value_or(1)}, in = out;
  if (config.rank) out.rank = config.rank->out, in.rank = config.rank->in;
  if (config.method == FactorizeConfig::Kind::svd) {
    if (out.rank) {
      require_rank("a matrix of its outputs by the rest", *out.rank,
                   std::min(shape[0], shape.size_from(1)), layer);
    }
    return by_svd(layer, out);
  }
  if (out.rank) {
    require_rank("its output channels", *out.rank,
                 std::min(shape[0], shape.size_from(1)), layer);
    require_rank("its input channels", *in.rank,
                 std::min(shape[3], shape[0] * shape[1] * shape[2]), layer);
  }
  return by_tucker2(layer, out, in);
}

std::int64_t size_of(const Plan& plan) {
  std::int64_t sum = 0;
  for (const Tensor& weight : plan.weights) sum += weight.size();
  return sum;
}

void put_in_place(Network& network, const Layer& layer, Plan plan) {
  std::vector<Weighted*> made;
  for (const auto& [name, module] : plan.nodes) {
    made.push_back(dynamic_cast<Weighted*>(module.get()));
  }
  const Tensor bias =
      layer.weighted->bias() ? layer.weighted->bias()->latent().clone() : Tensor();
  network.replace(layer.name, std::move(plan.nodes));
  for (std::size_t i = 0; i < made.size(); ++i) set(made[i]->weight().latent(), plan.weights[i]);
  if (bias.defined()) set(made.back()->bias()->latent(), bias);
}

}  // namespace

void FactorizeConfig::describe(config::Object& o) {
  o.choice("method", method, {{"svd", Kind::svd}, {"tucker2", Kind::tucker2}},
           "svd: two layers; tucker2: a convolution as three");
  o.field("rank", rank, config::optional(rank_type()),
          "dimensions that are kept; with tucker2 also [out, in]");
  o.real("energy", energy, {.max = 1, .above = 0},
         "in place of rank: as few as hold this fraction of the squared singular values, where "
         "that makes the layer smaller");
  o.list("include", include,
         "patterns over parameter paths; empty: all weights that the method can factorize");
  o.list("exclude", exclude, "patterns over parameter paths");
  if (o.given("rank") == o.given("energy")) o.fail("", "expected either 'rank' or 'energy'");
  if (method == Kind::svd && rank && rank->out != rank->in) {
    o.fail("rank", "svd has one rank; expected a number");
  }
}

void FactorizeMethod::attach(Network& network) {
  network.release();
  const std::vector<Layer> layers = chosen(network, config_);
  require_plain(network, layers);
  for (const Layer& layer : layers) {
    Plan plan = plan_of(layer, config_);
    if (config_.energy && size_of(plan) >= layer.weighted->weight().shape().size()) continue;
    put_in_place(network, layer, std::move(plan));
    ++factorized_;
  }
}

std::string FactorizeMethod::status() const {
  return fmt::format("{} factorized", factorized_);
}

void FactorizeMethod::visit_state(const std::string& prefix, StateVisitor& visitor) {
  visitor.integer(prefix + "/factorized", factorized_);
}

}  // namespace pare
