// A copy of a database that is in use.
#pragma once

#include "consentgate/store/open.h"

#include <string>

namespace consentgate::store {

// Writes the database as it is now into `file`, and reads all of that back. Others go on reading
// and writing meanwhile; what they write is not in the copy.
// in:   file  exists and is empty
// fail: throws StoreFailure: the engine has a program of its own for copies, which the text names;
//       or the copy failed, and the file has a part of it
void back_up(const StoreConfig& config, const std::string& file);

} // namespace consentgate::store
