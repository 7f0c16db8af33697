#include "framework/svd.h"

#include <doctest/doctest.h>

#include <cmath>

#include "framework/random.h"

using namespace pare;

namespace {

using Matrix = std::vector<double>;

Matrix random_matrix(std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  Random random(seed, Stream::test);
  Matrix a(static_cast<std::size_t>(rows * columns));
  for (double& x : a) x = static_cast<double>(random.uniform(-1, 1));
  return a;
}

double product(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// The largest difference between `a` and what the parts multiply to.
double error_of(const Svd& svd, const Matrix& a, std::int64_t rows, std::int64_t columns) {
  double worst = 0;
  for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r) {
    for (std::size_t c = 0; c < static_cast<std::size_t>(columns); ++c) {
      double sum = 0;
      for (std::size_t k = 0; k < svd.values.size(); ++k)
        sum += svd.values[k] * svd.left[k][r] * svd.right[k][c];
      worst = std::max(worst, std::fabs(sum - a[r * static_cast<std::size_t>(columns) + c]));
    }
  }
  return worst;
}

}  // namespace

TEST_CASE("the parts multiply to the matrix, their vectors are orthonormal, their values fall") {
  const std::int64_t sizes[][2] = {{1, 1}, {1, 7}, {7, 1}, {5, 5}, {20, 9}, {9, 20}, {64, 33}};
  for (const auto& size : sizes) {
    const std::int64_t rows = size[0], columns = size[1];
    CAPTURE(rows);
    CAPTURE(columns);
    const Matrix a = random_matrix(rows, columns, 7);
    const Svd parts = svd(a, rows, columns);
    REQUIRE(std::ssize(parts.values) == std::min(rows, columns));
    CHECK(error_of(parts, a, rows, columns) < 1e-13);
    for (std::size_t i = 0; i < parts.values.size(); ++i) {
      if (i > 0) CHECK(parts.values[i] <= parts.values[i - 1]);
      for (std::size_t j = 0; j < parts.values.size(); ++j) {
        const double expected = i == j ? 1 : 0;
        CHECK(std::fabs(product(parts.left[i], parts.left[j]) - expected) < 1e-12);
        CHECK(std::fabs(product(parts.right[i], parts.right[j]) - expected) < 1e-12);
      }
    }
  }
}

TEST_CASE("singular values of known matrices") {
  // [[3, 0], [4, 5]]: sqrt(45) and sqrt(5) (Strang, "Introduction to linear algebra", section 7.2).
  const Svd strang = svd(Matrix{3, 0, 4, 5}, 2, 2);
  CHECK(strang.values[0] == doctest::Approx(std::sqrt(45.0)).epsilon(1e-14));
  CHECK(strang.values[1] == doctest::Approx(std::sqrt(5.0)).epsilon(1e-14));
  // Hilbert's matrix of order 3 is symmetric: its eigenvalues, the roots of its characteristic
  // polynomial.
  const Svd hilbert = svd(Matrix{1, 1. / 2, 1. / 3, 1. / 2, 1. / 3, 1. / 4, 1. / 3, 1. / 4, 1. / 5},
                          3, 3);
  CHECK(hilbert.values[0] == doctest::Approx(1.4083189271236539).epsilon(1e-13));
  CHECK(hilbert.values[1] == doctest::Approx(0.12232706585390585).epsilon(1e-12));
  CHECK(hilbert.values[2] == doctest::Approx(0.0026873403557735).epsilon(1e-9));
  const Svd zero = svd(Matrix(6, 0.0), 2, 3);
  CHECK(zero.values == std::vector<double>{0, 0});
}

TEST_CASE("a matrix of rank 3 has three values that are not zero") {
  const std::int64_t rows = 40, columns = 17;
  const Matrix left = random_matrix(rows, 3, 1), right = random_matrix(3, columns, 2);
  Matrix a(static_cast<std::size_t>(rows * columns));
  for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r) {
    for (std::size_t c = 0; c < static_cast<std::size_t>(columns); ++c) {
      for (std::size_t k = 0; k < 3; ++k)
        a[r * static_cast<std::size_t>(columns) + c] +=
            left[r * 3 + k] * right[k * static_cast<std::size_t>(columns) + c];
    }
  }
  const Svd parts = svd(a, rows, columns);
  CHECK(parts.values[2] > 0.1);
  CHECK(parts.values[3] < 1e-13);
  CHECK(error_of(parts, a, rows, columns) < 1e-13);
}
