#include "framework/svd.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "framework/base/error.h"

namespace pare {
namespace {

using Vector = std::vector<double>;

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

// Eight partial sums: a fixed order that the compiler may still put into vector registers.
double dot(const Vector& a, const Vector& b) {
  constexpr std::size_t kLanes = 8;
  std::array<double, kLanes> sums{};
  std::size_t i = 0;
  for (; i + kLanes <= a.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  double sum = std::accumulate(sums.begin(), sums.end(), 0.0);
  for (; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

void rotate(Vector& a, Vector& b, double cosine, double sine) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = a[i], y = b[i];
    a[i] = cosine * x - sine * y;
    b[i] = sine * x + cosine * y;
  }
}

// The columns of a matrix with at least as many rows, made orthogonal, and the rotations (columns
// of V) that did it.
class Columns {
 public:
  explicit Columns(std::vector<Vector> columns) : a_(std::move(columns)) {
    for (std::size_t k = 0; k < a_.size(); ++k) {
      v_.emplace_back(a_.size(), 0.0)[k] = 1;
    }
  }

  void orthogonalize() {
    constexpr int kMostSweeps = 60;  // about ten are usual
    for (int sweep = 0; sweep < kMostSweeps; ++sweep) {
      squares_.clear();
      for (const Vector& column : a_) squares_.push_back(dot(column, column));
      const double all = std::accumulate(squares_.begin(), squares_.end(), 0.0);
      noise_ = kEpsilon * kEpsilon * all;
      bool rotated = false;
      for (std::size_t i = 0; i + 1 < a_.size(); ++i) {
        for (std::size_t j = i + 1; j < a_.size(); ++j) rotated = meet(i, j) || rotated;
      }
      if (!rotated) return;
    }
  }

  Svd result() && {
    Vector lengths;
    for (const Vector& column : a_) lengths.push_back(std::sqrt(dot(column, column)));
    std::vector<std::size_t> order(a_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t x, std::size_t y) { return lengths[x] > lengths[y]; });
    Svd svd;
    for (const std::size_t k : order) {
      for (double& x : a_[k]) x = lengths[k] > 0 ? x / lengths[k] : 0;
      svd.values.push_back(lengths[k]);
      svd.left.push_back(std::move(a_[k]));
      svd.right.push_back(std::move(v_[k]));
    }
    return svd;
  }

 private:
  // True where the two columns were not orthogonal yet.
  bool meet(std::size_t i, std::size_t j) {
    if (squares_[i] <= noise_ || squares_[j] <= noise_) return false;  // a zero, but for rounding
    const double product = dot(a_[i], a_[j]);
    if (std::fabs(product) <= kEpsilon * std::sqrt(squares_[i] * squares_[j])) return false;
    const double zeta = (squares_[j] - squares_[i]) / (2 * product);
    const double tangent = std::copysign(1.0, zeta) / (std::fabs(zeta) + std::hypot(1.0, zeta));
    const double cosine = 1 / std::hypot(1.0, tangent), sine = cosine * tangent;
    rotate(a_[i], a_[j], cosine, sine);
    rotate(v_[i], v_[j], cosine, sine);
    squares_[i] -= tangent * product;
    squares_[j] += tangent * product;
    return true;
  }

  std::vector<Vector> a_, v_;
  Vector squares_;    // of the columns' lengths
  double noise_ = 0;  // a square that rounding alone may leave
};

}  // namespace

Svd svd(std::span<const double> a, std::int64_t rows, std::int64_t columns) {
  PARE_ENSURE(rows >= 1 && columns >= 1 && std::ssize(a) == rows * columns);
  const bool wide = rows < columns;  // then the transposed matrix is decomposed
  const auto m = static_cast<std::size_t>(rows), n = static_cast<std::size_t>(columns);
  std::vector<Vector> vectors(wide ? m : n, Vector(wide ? n : m));
  for (std::size_t r = 0; r < m; ++r) {
    for (std::size_t c = 0; c < n; ++c) (wide ? vectors[r][c] : vectors[c][r]) = a[r * n + c];
  }
  Columns work(std::move(vectors));
  work.orthogonalize();
  Svd result = std::move(work).result();
  if (wide) std::swap(result.left, result.right);
  return result;
}

}  // namespace pare
