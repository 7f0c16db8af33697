// HDF5 files that somebody else made: what the library can hold and no checkpoint of ours has.
#pragma once

#include <hdf5.h>

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace pare::test {

// A file with a proper "json" and whatever `build` adds; without the trailer of a checkpoint.
std::vector<std::byte> hdf5_file(const std::function<void(hid_t file)>& build);

// A dataset without values; `properties` may change its creation list.
void create_dataset(
    hid_t parent, const char* name, hid_t type, std::vector<hsize_t> shape,
    const std::function<void(hid_t list)>& properties = [](hid_t) {});

struct ForeignFile {
  const char* refusal;  // what decode_hdf5 says, after the file's name
  std::function<void(hid_t file)> build;
};
std::span<const ForeignFile> foreign_files();

}  // namespace pare::test
