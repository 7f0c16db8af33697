#include "compression/integer/kernels/aligned.h"

#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace pare::integer {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

bool is_large(std::size_t bytes) { return bytes >= kHugePage / 4; }

std::align_val_t alignment(std::size_t bytes) {
  return std::align_val_t{is_large(bytes) ? kHugePage : kLine};
}

}  // namespace

void* allocate_lines(std::size_t bytes) {
  if (!is_large(bytes)) return ::operator new(bytes, alignment(bytes));
  if (bytes > static_cast<std::size_t>(-1) / 2) throw std::bad_alloc();
  const std::size_t pages = (bytes + kHugePage - 1) / kHugePage * kHugePage;
  void* memory = ::operator new(pages, alignment(bytes));
#if defined(__linux__)
  ::madvise(memory, pages, MADV_HUGEPAGE);  // a wish: without it everything is right, but slower
#endif
  return memory;
}

void release_lines(void* memory, std::size_t bytes) noexcept {
  ::operator delete(memory, alignment(bytes));
}

}  // namespace pare::integer
