#include "refpoint.h"
#include "error.h"
void refpoint_verification_free(RefpointVerification *c) { (void)c; }
RefpointVerification *refpoint_verify(const char *d, const char *p, RefpointJob *j, GError **e) { (void)d; (void)p; (void)j;rfp_error_set(e, REFPOINT_ERROR_NOT_SUPPORTED, "x"); return NULL; }
