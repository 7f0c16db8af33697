#include "tests/io/foreign_hdf5.h"

#include "framework/base/error.h"
#include "framework/io/hdf5_handle.h"

namespace pare::test {
namespace {

using hdf5::Handle;

void chunked(hid_t list, hsize_t length) { H5Pset_chunk(list, 1, &length); }
void early(hid_t list) { H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY); }

const ForeignFile kForeign[] = {
    // Data outside the file.
    {"'a' keeps its data in another file",
     [](hid_t file) {
       create_dataset(file, "a", H5T_STD_U8LE, {64},
                      [](hid_t list) { H5Pset_external(list, "/etc/passwd", 0, 64); });
     }},
    {"'a' leads elsewhere (a soft or external link)",
     [](hid_t file) {
       H5Lcreate_external("/etc/passwd", "/a", file, "a", H5P_DEFAULT, H5P_DEFAULT);
     }},
    {"'a' is stored as no checkpoint is (compact or virtual)",
     [](hid_t file) {
       create_dataset(file, "a", H5T_STD_U8LE, {4}, [](hid_t list) {
         const hsize_t four = 4;
         const Handle space(H5Screate_simple(1, &four, nullptr), H5Sclose);
         H5Pset_virtual(list, space.get(), "other.h5", "a", space.get());
       });
     }},
    // Soft links, nested groups, named types.
    {"'a' leads elsewhere (a soft or external link)",
     [](hid_t file) { H5Lcreate_soft("/json", file, "a", H5P_DEFAULT, H5P_DEFAULT); }},
    {"'g/loop' is no dataset of a checkpoint",
     [](hid_t file) {
       const Handle outer(H5Gcreate2(file, "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
       H5Lcreate_hard(file, "/", outer.get(), "loop", H5P_DEFAULT, H5P_DEFAULT);
     }},
    {"'t' is no dataset of a checkpoint",
     [](hid_t file) {
       const Handle type(H5Tcopy(H5T_NATIVE_INT), H5Tclose);
       H5Tcommit2(file, "t", type.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
     }},
    // Shapes that promise more than the file holds.
    {"'a' is larger than the file",
     [](hid_t file) { create_dataset(file, "a", H5T_IEEE_F32LE, {1ull << 40}); }},
    {"'a' is larger than the file",
     [](hid_t file) {
       create_dataset(file, "a", H5T_IEEE_F32LE, {1ull << 31, 1ull << 28});
     }},
    {"'a' is larger than the file",
     [](hid_t file) {
       create_dataset(file, "a", H5T_IEEE_F32LE, {1ull << 20},
                      [](hid_t list) { chunked(list, 1 << 20); });
     }},
    {"'a' has a shape that no checkpoint has",
     [](hid_t file) {
       create_dataset(file, "a", H5T_IEEE_F32LE, {1, 1, 1, 1, 1});
     }},
    // Many links to one dataset do not multiply memory.
    {"'a1' is larger than the file",
     [](hid_t file) {
       create_dataset(file, "a0", H5T_STD_U8LE, {4000}, early);
       for (const char* name : {"a1", "a2", "a3"}) {
         H5Lcreate_hard(file, "a0", file, name, H5P_DEFAULT, H5P_DEFAULT);
       }
     }},
    // Other types, layouts, filters and names.
    {"'a' has elements of a type that no checkpoint has",
     [](hid_t file) { create_dataset(file, "a", H5T_IEEE_F32BE, {2}); }},
    {"'a' is stored as no checkpoint is (compact or virtual)",
     [](hid_t file) {
       create_dataset(file, "a", H5T_IEEE_F32LE, {2},
                      [](hid_t list) { H5Pset_layout(list, H5D_COMPACT); });
     }},
    {"'a' is compressed or encoded, which no checkpoint is",
     [](hid_t file) {
       create_dataset(file, "a", H5T_IEEE_F32LE, {8}, [](hid_t list) {
         chunked(list, 8);
         H5Pset_deflate(list, 9);
       });
     }},
    {"'a' is cut into pieces, which no checkpoint is",
     [](hid_t file) {
       create_dataset(file, "a", H5T_IEEE_F32LE, {8}, [](hid_t list) { chunked(list, 4); });
     }},
    {"'a%zz' has a name that no checkpoint has",
     [](hid_t file) { create_dataset(file, "a%zz", H5T_IEEE_F32LE, {0}); }},
    {"expected a dataset 'json'", [](hid_t file) { H5Ldelete(file, "json", H5P_DEFAULT); }},
};

}  // namespace

std::vector<std::byte> hdf5_file(const std::function<void(hid_t)>& build) {
  const auto lock = hdf5::lock_library();
  const Handle access = hdf5::memory_access();
  const Handle file(H5Fcreate(hdf5::kNoFile, H5F_ACC_TRUNC, H5P_DEFAULT, access.get()), H5Fclose);
  const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.get(), 2);
  H5Tset_strpad(type.get(), H5T_STR_NULLPAD);
  const Handle scalar(H5Screate(H5S_SCALAR), H5Sclose);
  const Handle json(H5Dcreate2(file.get(), "json", type.get(), scalar.get(), H5P_DEFAULT,
                               H5P_DEFAULT, H5P_DEFAULT),
                    H5Dclose);
  H5Dwrite(json.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, "{}");
  build(file.get());
  H5Fflush(file.get(), H5F_SCOPE_GLOBAL);
  std::vector<std::byte> bytes(static_cast<std::size_t>(H5Fget_file_image(file.get(), nullptr, 0)));
  PARE_ENSURE(H5Fget_file_image(file.get(), bytes.data(), bytes.size()) > 0);
  return bytes;
}

void create_dataset(hid_t parent, const char* name, hid_t type, std::vector<hsize_t> shape,
                    const std::function<void(hid_t)>& properties) {
  const Handle space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr),
                     H5Sclose);
  const Handle list(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  properties(list.get());
  const Handle dataset(
      H5Dcreate2(parent, name, type, space.get(), H5P_DEFAULT, list.get(), H5P_DEFAULT), H5Dclose);
  PARE_ENSURE(dataset.valid());
}

std::span<const ForeignFile> foreign_files() { return kForeign; }

}  // namespace pare::test
