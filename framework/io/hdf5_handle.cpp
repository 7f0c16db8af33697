// The library's state, the element types, and how names become links.
#include "framework/io/hdf5_handle.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "framework/base/error.h"

namespace pare::hdf5 {
namespace {

bool prepare_library() {
  H5dont_atexit();  // must be the first call
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLset_loading_state(0);
  return true;
}

bool needs_escape(char c) {
  return c == '%' || c == ':' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

}  // namespace

std::unique_lock<std::mutex> lock_library() {
  static std::mutex mutex;
  std::unique_lock<std::mutex> lock(mutex);
  static const bool prepared = prepare_library();
  PARE_ENSURE(prepared);
  return lock;
}

hid_t file_type(ElementType type) {
  switch (type) {
    case ElementType::float32:
      return H5T_IEEE_F32LE;
    case ElementType::float64:
      return H5T_IEEE_F64LE;
    case ElementType::int64:
      return H5T_STD_I64LE;
    case ElementType::int32:
      return H5T_STD_I32LE;
    case ElementType::uint8:
      return H5T_STD_U8LE;
  }
  PARE_ENSURE(!"a known element type");
  return -1;
}

Handle memory_access() {
  constexpr std::size_t kGrowth = 1 << 20;  // bytes that the image in memory grows by
  Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  if (H5Pset_fapl_core(access.get(), kGrowth, 0) < 0) throw FailedError("HDF5: no core driver");
  return access;
}

std::string escape(const std::string& name) {
  std::string link;
  bool in_group = false;  // the first '/' stays one
  for (const char c : name) {
    if (needs_escape(c)) {
      link += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else if (c == '/') {
      link += in_group ? ':' : '/';
      in_group = true;
    } else {
      link += c;
    }
  }
  return link;
}

std::string unescape(const std::string& link) {
  std::string name;
  for (std::size_t i = 0; i < link.size(); ++i) {
    if (link[i] == '%') {
      unsigned code = 0;
      const char* digits = link.data() + i + 1;
      const char* end = link.data() + std::min(i + 3, link.size());
      if (std::from_chars(digits, end, code, 16).ptr != digits + 2) return "";
      name += static_cast<char>(code);
      i += 2;
    } else {
      name += link[i] == ':' ? '/' : link[i];
    }
  }
  return escape(name) == link ? name : "";
}

}  // namespace pare::hdf5
