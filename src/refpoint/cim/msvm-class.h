/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The classes of the Msvm reference point model, described once: parsing,
 * printing, method calls and the MOF (data/refpoint.mof, checked by a test) all
 * follow from these tables. Source: the facts of the public Hyper-V WMI (v2)
 * reference. Names compare without case, as in CIM.
 */
#ifndef RFP_MSVM_CLASS_H
#define RFP_MSVM_CLASS_H

#include "refpoint.h"

typedef enum {
    RFP_CIM_BOOLEAN,
    RFP_CIM_UINT8,
    RFP_CIM_SINT8,
    RFP_CIM_UINT16,
    RFP_CIM_SINT16,
    RFP_CIM_UINT32,
    RFP_CIM_SINT32,
    RFP_CIM_UINT64,
    RFP_CIM_SINT64,
    RFP_CIM_STRING,
    RFP_CIM_DATETIME,
    RFP_CIM_REFERENCE,
    RFP_N_CIM_TYPES
} RfpCimType;

/* Range of an integer type. */
typedef struct {
    gboolean integer;
    gboolean is_signed;
    guint bits;
} RfpCimInteger;

/* A value of an enumeration. Tables end with a row whose name is NULL. */
typedef struct {
    gint value;
    const char *name; /* the reference's English name, not translated */
} RfpMsvmName;

typedef enum {
    RFP_MSVM_ARRAY = 1 << 0,
    RFP_MSVM_KEY = 1 << 1,
    RFP_MSVM_EMBEDDED = 1 << 2, /* a string that holds an instance of @of */
    RFP_MSVM_IN = 1 << 3,       /* of parameters only */
    RFP_MSVM_OUT = 1 << 4,
} RfpMsvmFlags;

/* A property of a class, or a parameter of a method. Tables end with a row
 * whose name is NULL. */
typedef struct {
    const char *name;
    RfpCimType type;
    guint flags;               /* RfpMsvmFlags */
    const char *of;            /* class of a reference or embedded instance */
    const RfpMsvmName *values; /* NULL: no enumeration */
} RfpMsvmProperty;

/* A method of a class. What it returns: msvm-return.h. Tables end with a row
 * whose name is NULL. */
typedef struct {
    const char *name;
    RefpointReturnSet set;
    gboolean file_not_found;    /* 32779 is one of its numbers as well ... */
    gboolean timeout_parameter; /* ... and 4098 */
    const RfpMsvmProperty *parameters;
} RfpMsvmMethod;

typedef enum {
    RFP_MSVM_ABSTRACT = 1 << 0,
    RFP_MSVM_ASSOCIATION = 1 << 1,
} RfpMsvmClassFlags;

typedef struct {
    const char *name;
    const char *super;                 /* superclass, or NULL */
    guint flags;                       /* RfpMsvmClassFlags */
    const RfpMsvmProperty *properties; /* its own; NULL: none */
    const RfpMsvmMethod *methods;      /* its own; NULL: none; as above */
} RfpMsvmClass;

/* The classes that the code names; msvm-table.h has all. The model has two
 * kinds of collections: those of systems are called groups here. */
#define RFP_MSVM_SYSTEM_CLASS "Msvm_ComputerSystem"
#define RFP_MSVM_POINT_CLASS "Msvm_VirtualSystemReferencePoint"
#define RFP_MSVM_GROUP_CLASS "Msvm_VirtualSystemCollection"
#define RFP_MSVM_COLLECTION_CLASS "Msvm_ReferencePointCollection"
#define RFP_MSVM_POINT_SERVICE "Msvm_VirtualSystemReferencePointService"
#define RFP_MSVM_COLLECTION_SERVICE "Msvm_CollectionReferencePointService"
#define RFP_MSVM_IMAGE_SERVICE "Msvm_ImageManagementService"
/* The class of jobs, those of exports, and what all three derive from. */
#define RFP_MSVM_JOB_CLASS "Msvm_ConcreteJob"
#define RFP_MSVM_POINT_EXPORT_JOB "Msvm_VirtualSystemReferencePointExportJob"
#define RFP_MSVM_COLLECTION_EXPORT_JOB "Msvm_CollectionReferencePointExportJob"
#define RFP_MSVM_ANY_JOB "CIM_ConcreteJob"

/* Class number @i, superclasses first; NULL behind the last. */
const RfpMsvmClass *
rfp_msvm_class_nth(guint i);

/* NULL if there is none of this name. */
const RfpMsvmClass *
rfp_msvm_class_find(const char *name);

/* NULL for a class without one. */
const RfpMsvmClass *
rfp_msvm_class_super(const RfpMsvmClass *klass);

/* Whether it is the class of this name, or derived from it. */
gboolean
rfp_msvm_class_is_a(const RfpMsvmClass *klass, const char *name);

/* Own or inherited; NULL if there is none. */
const RfpMsvmProperty *
rfp_msvm_class_property(const RfpMsvmClass *klass, const char *name);

/* All properties, own and inherited, the oldest ancestor's first, each name
 * once in its most derived form: GPtrArray of const RfpMsvmProperty. */
GPtrArray *
rfp_msvm_class_properties(const RfpMsvmClass *klass);

/* Own or inherited; NULL if there is none. */
const RfpMsvmMethod *
rfp_msvm_class_method(const RfpMsvmClass *klass, const char *name);

/* NULL if there is none. */
const RfpMsvmProperty *
rfp_msvm_method_parameter(const RfpMsvmMethod *method, const char *name);

/* "Running"; NULL for a value without a name, or where there is no
 * enumeration. */
const char *
rfp_msvm_property_value_name(const RfpMsvmProperty *property, gint64 value);

/* "uint16". */
const char *
rfp_cim_type_name(RfpCimType type);

/* FALSE if there is no such type here (char16, real32). */
gboolean
rfp_cim_type_find(const char *name, RfpCimType *type);

const RfpCimInteger *
rfp_cim_type_integer(RfpCimType type);

#endif
