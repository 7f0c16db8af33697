// Rows of optimizers: one update of one parameter.
#include <algorithm>
#include <memory>

#include "apps/bench/kernel_rows.h"
#include "optim/adam.h"
#include "optim/sgd.h"

namespace pare::bench {
namespace {

using Make = std::function<std::unique_ptr<Optimizer>(std::vector<Parameter*>)>;

struct Updated {
  Updated(const Shape& shape, const Make& make) : weight("weight", shape, 0, true) {
    weight.latent() = random_tensor(shape, 1);
    optimizer = make({&weight});
    given = random_tensor(shape, 2);
    for (int i = 0; i < 2; ++i) {  // moments are 0 at first
      prepare();
      update();
    }
  }

  // The gradient lies in the parameter, as after backward().
  void prepare() {
    const Variable value = weight.value(Pass::begin(Pass::Mode::train, 1, 0));
    backward(record("given_gradient", Tensor::zeros({1}), {value},
                    [this](const Tensor&, Gradients& gradients) {
                      const auto [g, beta] = gradients.slot(0);
                      std::copy_n(given.data(), given.size(), g);
                    }));
  }
  void update() { optimizer->step(1e-3); }

  // The weight and its moments: read and written.
  std::vector<Bytes> kept() {
    std::vector<Bytes> all{bytes_of(weight.latent())};
    optimizer->visit_moments(weight, [&](Tensor& t) { all.push_back(bytes_of(t)); });
    return all;
  }
  std::vector<Bytes> read() {
    std::vector<Bytes> all = kept();
    all.push_back(bytes_of(weight.grad()));
    return all;
  }

  Parameter weight;
  std::unique_ptr<Optimizer> optimizer;
  Tensor given;
};

KernelRow row(const std::string& name, const Shape& shape, int moments, const Make& make) {
  // Weight and moments both ways, the gradient one.
  const double bytes = 4.0 * (2 * (1 + moments) + 1) * static_cast<double>(shape.size());
  return {name + ", " + text(shape), Bound::memory, 0, bytes, [shape, make] {
            const auto updated = std::make_shared<Updated>(shape, make);
            return KernelCall{.call = [updated] { updated->update(); },
                              .before = [updated] { updated->prepare(); },
                              .reads = [updated] { return updated->read(); },
                              .written = [updated] { return updated->kept(); }};
          }};
}

}  // namespace

Rows optimizer_rows(const Shape& shape) {
  const auto sgd = [](std::vector<Parameter*> parameters) -> std::unique_ptr<Optimizer> {
    return std::make_unique<Sgd>(std::move(parameters), SgdOptions{.momentum = 0.9},
                                 Regularization());
  };
  const auto adam = [](std::vector<Parameter*> parameters) -> std::unique_ptr<Optimizer> {
    return std::make_unique<Adam>(std::move(parameters), AdamOptions(), Decay::coupled,
                                  Regularization());
  };
  return {row("sgd with momentum", shape, 1, sgd), row("adam", shape, 2, adam)};
}

}  // namespace pare::bench
