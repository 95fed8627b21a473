#include "refpoint.h"
#include "error.h"
void refpoint_catalog_free(RefpointCatalog *c) { (void)c; }
RefpointCatalog *refpoint_catalog(const char *d, GError **e) { (void)d; rfp_error_set(e, REFPOINT_ERROR_NOT_SUPPORTED, "x"); return NULL; }
