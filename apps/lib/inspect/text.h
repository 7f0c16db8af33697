// The documents of documents.h for people.
#pragma once

#include <string>

#include "framework/config/value.h"

namespace pare {

// `tree`: also the nodes of the network, the arrays of a checkpoint, the sections of a model.
struct TextDetail {
  bool tree = false;
};
std::string to_text(const config::Json& document, TextDetail detail);

}  // namespace pare
