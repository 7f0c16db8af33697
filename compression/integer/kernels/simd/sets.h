// What this folder gives to kernel_set.cpp: one function per instruction set, null where this
// processor, or the architecture of the build, does not have it.
#pragma once

#include "compression/integer/kernels/kernel_set.h"

namespace pare::integer {

const KernelSet* avx512_vnni_kernels();
BitKernels avx512_bit_kernels();  // what avx512_vnni_kernels() takes in
const KernelSet* avx_vnni_kernels();
const KernelSet* avx2_kernels();
const KernelSet* neon_kernels();
const KernelSet* portable_kernels();  // never null

}  // namespace pare::integer
