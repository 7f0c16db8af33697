// One function per reader of files, each given bytes as a stranger would send them.
//
// A target returns where the reader refuses with the project's own error or accepts; everything else
// ends the program: another exception, a broken promise of what was accepted, or whatever a
// sanitizer notices. Where a format carries a checksum the target computes it, or no change would
// ever get past it. The same functions run under libFuzzer (entry.cpp) and over the committed inputs
// in every build (replay.cpp).
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace pare::fuzz {

using Bytes = std::span<const std::byte>;

void config(Bytes bytes);       // framework/config: text to values to a struct, and --set
void idx(Bytes bytes);          // datasets/idx: a pair of files
void npy(Bytes bytes);          // datasets/npy: a pair of files
void cifar(Bytes bytes);        // datasets/cifar
void gzip(Bytes bytes);         // datasets/gzip, and IDX inside
void images(Bytes bytes);       // apps/infer: images and labels, plain or compressed
void safetensors(Bytes bytes);  // framework/io
void model(Bytes bytes);        // model.pare, and what was accepted through the engine
void checkpoint(Bytes bytes);   // sealed HDF5
void wire(Bytes bytes);         // what the guarded process of a checkpoint sends back
void keras(Bytes bytes);        // Keras's HDF5

struct Target {
  std::string_view name;
  void (*run)(Bytes bytes);
};

inline constexpr Target kTargets[] = {
    {"config", config}, {"idx", idx},       {"npy", npy},
    {"cifar", cifar},   {"gzip", gzip},     {"images", images},
    {"model", model},   {"keras", keras},   {"safetensors", safetensors},
    {"wire", wire},     {"checkpoint", checkpoint},
};

}  // namespace pare::fuzz
