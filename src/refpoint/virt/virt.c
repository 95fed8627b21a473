/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/virt.h"
#include "base/text.h"
#include "base/wording.h"

#include <errno.h>

RefpointError
rfp_virt_cause(int code)
{
    if (code == RFP_VIRT_AGENT_TIMEOUT)
        return REFPOINT_ERROR_TIMEOUT;
    if (code == RFP_VIRT_AGENT_FAILED)
        return REFPOINT_ERROR_INVALID_STATE;
    /* No default: a code that a newer header brings is a warning here. */
    switch ((virErrorNumber)code) {
    case VIR_ERR_NO_MEMORY:
        return REFPOINT_ERROR_NO_MEMORY;
    case VIR_ERR_OPERATION_DENIED:
    case VIR_ERR_AUTH_FAILED:
    case VIR_ERR_AUTH_CANCELLED:
    case VIR_ERR_ACCESS_DENIED:
    case VIR_ERR_AUTH_UNAVAILABLE:
        return REFPOINT_ERROR_ACCESS_DENIED;
    case VIR_ERR_NO_SUPPORT:
    case VIR_ERR_CONFIG_UNSUPPORTED:
    case VIR_ERR_ARGUMENT_UNSUPPORTED:
    case VIR_ERR_OPERATION_UNSUPPORTED:
        return REFPOINT_ERROR_NOT_SUPPORTED;
    case VIR_ERR_OPERATION_TIMEOUT:
#if LIBVIR_CHECK_VERSION(11, 2, 0)
    case VIR_ERR_AGENT_COMMAND_TIMEOUT:
#endif
        return REFPOINT_ERROR_TIMEOUT;
    case VIR_ERR_NO_DOMAIN:
    case VIR_ERR_NO_DOMAIN_SNAPSHOT:
    case VIR_ERR_NO_DOMAIN_CHECKPOINT:
    case VIR_ERR_MULTIPLE_DOMAINS:
        return REFPOINT_ERROR_INVALID_PARAMETER;
    case VIR_ERR_BLOCK_COPY_ACTIVE:
    case VIR_ERR_RESOURCE_BUSY:
        return REFPOINT_ERROR_IN_USE;
    case VIR_ERR_OPERATION_INVALID:
    case VIR_ERR_AGENT_UNRESPONSIVE:
    case VIR_ERR_AGENT_UNSYNCED:
    case VIR_ERR_NO_DOMAIN_BACKUP:
    case VIR_ERR_CHECKPOINT_INCONSISTENT:
#if LIBVIR_CHECK_VERSION(11, 2, 0)
    case VIR_ERR_AGENT_COMMAND_FAILED:
#endif
        return REFPOINT_ERROR_INVALID_STATE;
    case VIR_ERR_UNKNOWN_HOST:
    case VIR_ERR_NO_CONNECT:
    case VIR_ERR_RPC:
    case VIR_ERR_GNUTLS_ERROR:
    case VIR_ERR_SSH:
    case VIR_ERR_LIBSSH:
        return REFPOINT_ERROR_NOT_AVAILABLE;
    case VIR_ERR_OK:
    case VIR_ERR_INVALID_CONN:
    case VIR_ERR_INVALID_DOMAIN:
    case VIR_ERR_INVALID_ARG:
    case VIR_ERR_INVALID_NETWORK:
    case VIR_ERR_INVALID_MAC:
    case VIR_ERR_INVALID_STORAGE_POOL:
    case VIR_ERR_INVALID_STORAGE_VOL:
    case VIR_ERR_INVALID_NODE_DEVICE:
    case VIR_ERR_INVALID_INTERFACE:
    case VIR_ERR_INVALID_NWFILTER:
    case VIR_ERR_INVALID_SECRET:
    case VIR_ERR_INVALID_DOMAIN_SNAPSHOT:
    case VIR_ERR_INVALID_STREAM:
    case VIR_ERR_INVALID_NWFILTER_BINDING:
    case VIR_ERR_INVALID_DOMAIN_CHECKPOINT:
    case VIR_ERR_INVALID_NETWORK_PORT:
    case VIR_ERR_INTERNAL_ERROR:
    case VIR_ERR_OPERATION_FAILED:
    case VIR_ERR_GET_FAILED:
    case VIR_ERR_POST_FAILED:
    case VIR_ERR_HTTP_ERROR:
    case VIR_ERR_SEXPR_SERIAL:
    case VIR_ERR_NO_XEN:
    case VIR_ERR_XEN_CALL:
    case VIR_ERR_OS_TYPE:
    case VIR_ERR_NO_KERNEL:
    case VIR_ERR_NO_ROOT:
    case VIR_ERR_NO_SOURCE:
    case VIR_ERR_NO_TARGET:
    case VIR_ERR_NO_NAME:
    case VIR_ERR_NO_OS:
    case VIR_ERR_NO_DEVICE:
    case VIR_ERR_NO_XENSTORE:
    case VIR_ERR_DRIVER_FULL:
    case VIR_ERR_CALL_FAILED:
    case VIR_ERR_XML_ERROR:
    case VIR_ERR_DOM_EXIST:
    case VIR_ERR_OPEN_FAILED:
    case VIR_ERR_READ_FAILED:
    case VIR_ERR_PARSE_FAILED:
    case VIR_ERR_CONF_SYNTAX:
    case VIR_ERR_WRITE_FAILED:
    case VIR_ERR_XML_DETAIL:
    case VIR_ERR_NETWORK_EXIST:
    case VIR_ERR_SYSTEM_ERROR:
    case VIR_ERR_NO_NETWORK:
    case VIR_ERR_NO_STORAGE_POOL:
    case VIR_ERR_NO_STORAGE_VOL:
    case VIR_ERR_NO_NODE_DEVICE:
    case VIR_ERR_NO_SECURITY_MODEL:
    case VIR_ERR_NO_INTERFACE:
    case VIR_ERR_MULTIPLE_INTERFACES:
    case VIR_ERR_NO_NWFILTER:
    case VIR_ERR_BUILD_FIREWALL:
    case VIR_ERR_NO_SECRET:
    case VIR_ERR_MIGRATE_PERSIST_FAILED:
    case VIR_ERR_HOOK_SCRIPT_FAILED:
    case VIR_ERR_STORAGE_PROBE_FAILED:
    case VIR_ERR_STORAGE_POOL_BUILT:
    case VIR_ERR_SNAPSHOT_REVERT_RISKY:
    case VIR_ERR_OPERATION_ABORTED:
    case VIR_ERR_NO_DOMAIN_METADATA:
    case VIR_ERR_MIGRATE_UNSAFE:
    case VIR_ERR_OVERFLOW:
    case VIR_ERR_DBUS_SERVICE:
    case VIR_ERR_STORAGE_VOL_EXIST:
    case VIR_ERR_CPU_INCOMPATIBLE:
    case VIR_ERR_XML_INVALID_SCHEMA:
    case VIR_ERR_MIGRATE_FINISH_OK:
    case VIR_ERR_NO_SERVER:
    case VIR_ERR_NO_CLIENT:
    case VIR_ERR_DEVICE_MISSING:
    case VIR_ERR_NO_NWFILTER_BINDING:
    case VIR_ERR_NETWORK_PORT_EXIST:
    case VIR_ERR_NO_NETWORK_PORT:
    case VIR_ERR_NO_HOSTNAME:
#if LIBVIR_CHECK_VERSION(9, 7, 0)
    case VIR_ERR_NO_NETWORK_METADATA:
#endif
    case VIR_WAR_NO_NETWORK:
    case VIR_WAR_NO_STORAGE:
    case VIR_WAR_NO_NODE:
    case VIR_WAR_NO_INTERFACE:
    case VIR_WAR_NO_NWFILTER:
    case VIR_WAR_NO_SECRET:
        return REFPOINT_ERROR_FAILED;
#ifdef VIR_ENUM_SENTINELS
    case VIR_ERR_NUMBER_LAST:
        break;
#endif
    }
    return REFPOINT_ERROR_FAILED;
}

/* INTERNAL_ERROR of the QEMU driver whose text tells a state. */
static const struct {
    RfpWording wording;
    RefpointError cause;
} internal_states[] = {
    {RFP_WORDING_BITMAP_EXISTS, REFPOINT_ERROR_INVALID_STATE},
    {RFP_WORDING_BITMAP_LOST, REFPOINT_ERROR_INVALID_STATE},
    {RFP_WORDING_BITMAP_SIZES, REFPOINT_ERROR_INVALID_STATE},
    {RFP_WORDING_BITMAP_VERSION, REFPOINT_ERROR_NOT_SUPPORTED},
    {RFP_WORDING_BLOCK_JOB, REFPOINT_ERROR_IN_USE},
    {RFP_WORDING_JOB_BEGINS, REFPOINT_ERROR_IN_USE},
};

RefpointError
rfp_virt_cause_of(const virError *error)
{
    const char *text = error->message;

    if (error->code == VIR_ERR_INTERNAL_ERROR)
        for (gsize i = 0; i < G_N_ELEMENTS(internal_states); i++)
            if (rfp_wording_find(internal_states[i].wording, text) != NULL)
                return internal_states[i].cause;
    if (error->code == VIR_ERR_OPERATION_TIMEOUT &&
        rfp_wording_find(RFP_WORDING_STATE_LOCK, text) != NULL)
        return REFPOINT_ERROR_IN_USE;
    if (error->code == VIR_ERR_SYSTEM_ERROR &&
        (error->int1 == EACCES || error->int1 == EPERM))
        return REFPOINT_ERROR_ACCESS_DENIED;
    /* the daemon went away: end of file, broken pipe, connection reset, or a
     * socket that was closed before */
    if (error->domain == VIR_FROM_RPC &&
        (error->code == VIR_ERR_SYSTEM_ERROR ||
         error->code == VIR_ERR_INTERNAL_ERROR))
        return REFPOINT_ERROR_NOT_AVAILABLE;
    return rfp_virt_cause(error->code);
}

void
rfp_virt_error_set(GError **error, const char *object, const char *format, ...)
{
    virErrorPtr origin = virGetLastError();
    g_autofree char *message = NULL;
    va_list ap;

    va_start(ap, format);
    message = g_strdup_vprintf(format, ap);
    va_end(ap);
    if (origin == NULL) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED, "%s", message);
    } else {
        rfp_error_set_origin(error, rfp_virt_cause_of(origin), origin->code,
                             origin->domain, origin->message, "%s", message);
    }
    rfp_error_add_object(error, object);
}
