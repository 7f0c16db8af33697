#include "compression/integer/kernels/kernel_set.h"

#include "compression/integer/kernels/simd/sets.h"
#include "framework/base/error.h"

namespace pare::integer {

std::vector<const KernelSet*> usable_kernel_sets() {
  std::vector<const KernelSet*> sets;
  for (const KernelSet* set : {avx512_vnni_kernels(), avx_vnni_kernels(), avx2_kernels(),
                               neon_kernels(), portable_kernels()}) {
    if (set != nullptr) sets.push_back(set);
  }
  return sets;
}

const KernelSet& kernel_set(const std::string& name) {
  const std::vector<const KernelSet*> sets = usable_kernel_sets();
  if (name.empty()) return *sets.front();
  std::string names;
  for (const KernelSet* set : sets) {
    if (set->name == name) return *set;
    names += (names.empty() ? "" : ", ") + std::string(set->name);
  }
  throw ConfigError("kernels '" + name + "': this processor runs " + names);
}

}  // namespace pare::integer
