// Shapes, tensors and the pool that recycles their memory.
#include "framework/tensor/tensor.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

namespace pare {

TEST_CASE("a shape counts its elements and is indexed from both ends") {
  const Shape shape{2, 3, 5, 7};
  CHECK(shape.rank() == 4);
  CHECK(shape.size() == 210);
  CHECK(shape.size_from(1) == 105);
  CHECK(shape[-1] == 7);
  CHECK(shape[1] == 3);
  CHECK(shape.with_batch(11) == Shape{11, 3, 5, 7});
  CHECK(shape.without_batch() == Shape{3, 5, 7});
  CHECK(shape.to_string() == "[2, 3, 5, 7]");
  CHECK(Shape().size() == 1);
  CHECK(Shape{2, 3} != Shape{2, 3, 1});
}

TEST_CASE("a shape of more than four extents is refused") {
  Shape shape{1, 2, 3, 4};
  CHECK_THROWS(shape.append(5));
}

TEST_CASE("data that two handles see cannot be written") {
  Tensor a = Tensor::full(Shape{3}, 1);
  {
    const Tensor b = a;
    CHECK_THROWS(a.mutable_data());
    CHECK(b.data() == a.data());
  }
  a.mutable_data()[1] = 7;
  CHECK(a.data()[1] == 7);
}

TEST_CASE("a reshaped tensor shares its data, a clone does not") {
  const Tensor a = Tensor::from(Shape{2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6});
  const Tensor view = a.reshaped(Shape{3, 2});
  CHECK(view.data() == a.data());
  CHECK(view.shape() == Shape{3, 2});
  const Tensor copy = a.clone();
  CHECK(copy.data() != a.data());
  CHECK(copy.data()[5] == 6);
  CHECK_THROWS(a.reshaped(Shape{7}));
  CHECK_THROWS(a.item());
}

TEST_CASE("data is aligned to 64 bytes, also of an empty tensor") {
  for (const std::int64_t size : {0, 1, 17, 1000}) {
    const Tensor step(Shape{size});
    const Tensor heap = Tensor::persistent(Shape{size});
    CHECK(reinterpret_cast<std::uintptr_t>(step.data()) % 64 == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(heap.data()) % 64 == 0);
  }
}

TEST_CASE("step memory is recycled by size and can be filled for tests") {
  const std::int64_t size = 12347;  // nobody else's
  const float* first = Tensor(Shape{size}).data();
  const std::int64_t allocations = memory_statistics().system_allocations;
  CHECK(Tensor(Shape{size}).data() == first);
  CHECK(memory_statistics().system_allocations == allocations);
  set_memory_fill(0xFF);
  const Tensor filled(Shape{size});
  set_memory_fill(-1);
  CHECK(filled.data()[size - 1] != filled.data()[size - 1]);
}

TEST_CASE("the peak counts step memory in use") {
  reset_memory_peak();
  const std::int64_t before = memory_statistics().step_bytes_now;
  { const Tensor a(Shape{1000}), b(Shape{500}); }
  CHECK(memory_statistics().step_bytes_now == before);
  CHECK(memory_statistics().step_bytes_peak == before + 6000);
}

}  // namespace pare
