// promises MODEL.pare: what the package promises once a runner is made: nothing is allocated,
// runners of several threads do not disturb each other, codes out of range and NULL are errors.
// Prints "kept".
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <new>
#include <pare_integer.hpp>
#include <string>
#include <thread>
#include <vector>

static std::atomic<long> allocations{0};

void* operator new(std::size_t size) {
  ++allocations;
  void* p = std::malloc(size);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  ++allocations;
  const auto a = static_cast<std::size_t>(alignment);
  void* p = std::aligned_alloc(a, (size + a - 1) / a * a);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

static int fail(const char* what) {
  std::printf("%s\n", what);
  return 1;
}

static bool null_is_an_error() {
  char why[100] = "";
  const bool bytes = pare_load_memory(nullptr, 100, why, sizeof why) == nullptr &&
                     std::string(why) == "the bytes are NULL";
  const bool path =
      pare_load_file(nullptr, why, sizeof why) == nullptr && std::string(why) == "the path is NULL";
  return bytes && path && pare_runner_new(nullptr) == nullptr;
}

int main(int, char** words) {
  std::ifstream file(words[1], std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  const pare::Model model = pare::Model::from_memory(bytes.data(), bytes.size());
  constexpr std::size_t kImages = 50;
  std::vector<std::uint8_t> pixels(kImages * model.input_size());
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<std::uint8_t>(i * 2654435761u >> 13);
  }
  std::vector<std::int8_t> outputs(kImages * model.output_size());

  pare::Runner runner(model);
  const long before = allocations;
  if (runner.run_pixels(pixels.data(), kImages, outputs.data()) != PARE_OK) return fail("run");
  if (runner.run_pixels(pixels.data(), 1, outputs.data()) != PARE_OK) return fail("one image");
  if (allocations != before) return fail("running allocates");

  std::vector<std::vector<std::int8_t>> found(4, outputs);
  std::vector<std::thread> threads;
  for (auto& codes : found) {
    threads.emplace_back([&] {
      pare::Runner own(model);
      for (int i = 0; i < 20; ++i) own.run_pixels(pixels.data(), kImages, codes.data());
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& codes : found) {
    if (codes != outputs) return fail("threads disturb each other");
  }
  if (runner.run(nullptr, 1, outputs.data()) != PARE_NULL) return fail("NULL");
  if (!null_is_an_error()) return fail("NULL to load");
  try {
    pare::Model::from_memory(bytes.data(), bytes.size() - 1);
    return fail("a damaged model loads");
  } catch (const std::runtime_error&) {
  }
  return std::puts("kept") < 0;
}
